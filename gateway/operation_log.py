"""Logs the operations that failed or were slow: which they were and what they cost, not what they said."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from math import inf

from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest
from schema import Document
from upstream.client import Receipt, trace_id

MOST_LINES = 120
"""Lines in a minute, in each process. Strangers can fail as often as they like, and the log must not fill the disk."""

MOST_NAME = 100
"""Characters of the name of an operation."""

_HASH = 16
"""Characters of the hash of a document, which tell documents apart."""

_OF_CLIENT = ("unparsable", "unfit")
"""The failures that only the client can mend."""

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
        document: Document | None,
        answer: GraphQLAnswer,
        receipt: Receipt,
        seconds: float,
    ) -> None:
        """Log an operation that has ended after so many seconds, if that is worth a line.

        ``document`` is ``None`` for a request that was refused before its document was read.
        """
        if answer.failed:
            sentence = "An operation failed."
            level = logging.INFO if answer.failure in _OF_CLIENT else logging.WARNING
        elif seconds >= self._slow:
            sentence, level = "An operation was slow.", logging.WARNING
        else:
            sentence, level = "An operation was answered.", logging.DEBUG
        if not _log.isEnabledFor(level):
            return
        if level > logging.DEBUG and not self._may_write():
            return
        fields = {
            "operation": _name(request, document),
            "document": hashlib.sha256(request.query.encode(errors="surrogatepass")).hexdigest()[:_HASH],
            "outcome": answer.outcome,
            "seconds": round(seconds, 4),
            "upstream_requests": len(receipt.exchanges),
            "catalog": None if answer.made_of is None else answer.made_of.catalog.version[:_HASH],
            "trace": trace_id(request.traceparent),
        }
        _log.log(level, sentence, extra={"fields": fields})

    def _may_write(self) -> bool:
        """Return whether the minute has room for another line. The first line of a minute follows what was left out."""
        now = self.clock()
        if now - self._minute >= 60:
            if self._left_out:
                _log.warning("%d more operations failed or were slow within a minute.", self._left_out)
            self._minute, self._lines, self._left_out = now, 0, 0
        if self._lines >= MOST_LINES:
            self._left_out += 1
            return False
        self._lines += 1
        return True


def _name(request: GraphQLRequest, document: Document | None) -> str | None:
    name = request.operation_name
    if name is None and document is not None and len(document.operations) == 1:
        name = document.operations[0][0]
    return None if name is None else name[:MOST_NAME]
