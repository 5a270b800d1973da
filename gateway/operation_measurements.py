"""Counts the operations that ended, how long they took, and the errors that they were answered with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.graphql_answer import GraphQLAnswer
from gateway.named_operation import operation_type
from gateway.prepared_request import GraphQLRequest
from schema import Document
from telemetry import DurationHistograms


class OperationMeasurements:
    """Holds the measurements of one process. No label is a name that a client chose.

    ``durations`` are by type (``query``, ``mutation``, ``subscription``, or ``unknown`` where no operation could be
    told) and outcome, and ``errors`` by code. ``from_memory`` and ``from_upstream`` count the answers without and with
    an exchange with upstream. An answer that failed without any counts as neither.
    """

    def __init__(self) -> None:
        self.durations = DurationHistograms()
        self.errors: Counter[str] = Counter()
        self.from_memory = 0
        self.from_upstream = 0

    def ended(
        self, request: GraphQLRequest, document: Document | None, answer: GraphQLAnswer, seconds: float
    ) -> None:
        """Count an operation with one answer. ``document`` is ``None`` if it was refused before that was read."""
        type_ = None if document is None else operation_type(document, request.operation_name)
        self.durations[(type_ or "unknown", answer.outcome)].observe(seconds)
        if answer.codes:
            self.told(answer.codes)

    def sent(self, answer: GraphQLAnswer) -> GraphQLAnswer:
        """Count the errors of an answer that is one of many, and return it."""
        self.told(answer.codes)
        return answer

    def told(self, codes: Iterable[str]) -> None:
        """Count errors that a client is told, by their codes."""
        self.errors.update(codes)
