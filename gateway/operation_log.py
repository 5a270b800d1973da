"""Logs the operations that failed or were slow, with what they cost but without their texts and variables.

Operations with many results, which are subscriptions and those that are answered in parts, have a line when they begin
and one when they end.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from math import inf
from typing import TypeVar

from engine import Stopped
from gateway.graphql_answer import GraphQLAnswer, stopped_by
from gateway.named_operation import operation_name
from gateway.operation_spans import OF_CLIENT, UNNAMED, describe_operation
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from schema import Document
from telemetry import span, tracer
from upstream.client import trace_id

MAX_LINES = 120
"""Lines in a minute, in each process. Strangers can fail as often as they like, and the log must not fill the disk."""

_HASH = 16
"""Characters of the hash of a document, which tell documents apart."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class OperationLog:
    """Writes one line for an operation that failed or took ``slow`` seconds (0 is never), and at debug for each.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, slow: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._slow = slow or inf
        self._minute = -inf
        self._lines = 0
        self._left_out = 0

    def ended(
        self,
        request: GraphQLRequest,
        prepared: PreparedRequest | None,
        answer: GraphQLAnswer,
        upstream_requests: int,
        seconds: float,
    ) -> None:
        """Log an operation that has ended after this many seconds, if that is worth a line.

        ``prepared`` is ``None`` for a request that was refused before its document was read.
        """
        if answer.failed:
            sentence, level = "An operation failed.", _level(answer.outcome)
        elif seconds >= self._slow:
            sentence, level = "An operation was slow.", logging.WARNING
        else:
            sentence, level = "An operation was answered.", logging.DEBUG
        if self._is_logged(level):
            fields = {
                **_which(request, None if prepared is None else prepared.document),
                "outcome": answer.outcome,
                "seconds": round(seconds, 4),
                "cost": prepared and prepared.prediction and prepared.prediction.cost.units,
                "upstream_requests": upstream_requests,
                "catalog": None if answer.made_of is None else answer.made_of.catalog.version[:_HASH],
            }
            _log.log(level, sentence, extra={"fields": fields})

    async def follow(self, prepared: PreparedRequest, results: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """Yield the results of an operation with many, and log its beginning and its end.

        One that is closed before its last result, because its client leaves or the gateway stops, has not failed.
        """
        began, count, outcome, last = self.clock(), 0, "closed", "answered"
        which = _which(prepared.request, prepared.document)
        what = "A subscription" if prepared.is_subscription else "An operation in parts"
        if self._is_logged(logging.DEBUG):
            _log.debug("%s has begun.", what, extra={"fields": which})
        # This is not the running context, because each result may be wanted in another one.
        with span(UNNAMED, "server", is_current=False) as traced:
            try:
                async with aclosing(results):
                    async for result in results:
                        count += 1
                        last = _outcome(result, last)
                        yield result
                outcome = last
            except Stopped as stopped:
                outcome = stopped_by(stopped).outcome
                raise
            except Exception:
                outcome = "fault"
                raise
            finally:
                if traced.is_recorded:
                    describe_operation(traced, prepared.request, prepared.document, outcome, None)
                level = _level(outcome)
                if self._is_logged(level):
                    seconds = round(self.clock() - began, 4)
                    fields = {**which, "outcome": outcome, "seconds": seconds, "results": count}
                    _log.log(level, "%s has ended.", what, extra={"fields": fields})

    def _is_logged(self, level: int) -> bool:
        return _log.isEnabledFor(level) and (level == logging.DEBUG or self._may_write())

    def _may_write(self) -> bool:
        """Return whether the minute has room for another line. The first line of a minute follows what was left out."""
        now = self.clock()
        if now - self._minute >= 60:
            if self._left_out:
                _log.warning("%d more operations failed or were slow within a minute.", self._left_out)
            self._minute, self._lines, self._left_out = now, 0, 0
        if self._lines >= MAX_LINES:
            self._left_out += 1
            return False
        self._lines += 1
        return True


def _level(outcome: str) -> int:
    if outcome in ("answered", "closed"):
        return logging.DEBUG
    return logging.INFO if outcome in OF_CLIENT else logging.WARNING


def _which(request: GraphQLRequest, document: Document | None) -> dict[str, object]:
    """Return the fields that tell an operation from others."""
    makes_spans = tracer()
    return {
        "operation": operation_name(request.operation_name, document),
        "document": hashlib.sha256(request.query.encode(errors="surrogatepass")).hexdigest()[:_HASH],
        "trace": (None if makes_spans is None else makes_spans.trace_id()) or trace_id(request.traceparent),
    }


def _outcome(result: object, before: str) -> str:
    """Return the outcome of an operation so far, with this result as one of many."""
    if isinstance(result, GraphQLAnswer):
        return result.outcome if result.failed else before
    entries = (*(getattr(result, "incremental", None) or ()), *(getattr(result, "completed", None) or ()))
    return "errors" if any(getattr(each, "errors", None) for each in (result, *entries)) else before
