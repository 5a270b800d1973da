"""Logs each failure of upstream: what was asked for, why it failed, and at which attempt."""

from __future__ import annotations

import logging

from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.upstream_errors import UpstreamError

MAX_CAUSE = 300
"""Characters of a cause. Upstream's own words can be in it."""

_log = logging.getLogger(__name__)


def log_failure(path: str, error: UpstreamError, attempt: int | None = None) -> None:
    """Log that upstream did not give what was asked for. ``attempt`` is ``None`` for an answer that cannot be read.

    Nothing is sent while the circuit is open, so that is no failure of its own. These lines have the level info,
    because those who needed the answer log their failure as a warning.
    """
    if isinstance(error, CircuitOpen):
        return
    cause = error.__cause__
    fields = {
        "path": f"/{path}",
        "code": error.code,
        "cause": None if cause is None else f"{type(cause).__name__}: {cause}"[:MAX_CAUSE],
        "attempt": attempt,
    }
    _log.info("%s", error.for_operator, extra={"fields": fields})
