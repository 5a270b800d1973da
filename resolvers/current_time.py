"""Gives the time to fields whose answers depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from catalog import Snapshot

_as_of: ContextVar[datetime | None] = ContextVar("as_of", default=None)


def now() -> datetime:
    """Return the time in UTC, for fields and inputs that declare that they depend on it.

    For an operation that is answered as of a moment it is that moment.
    """
    return _as_of.get() or datetime.now(UTC)


@contextmanager
def time_of(snapshot: Snapshot | None) -> Iterator[None]:
    """Let it be the moment as of which this snapshot is asked, if it is asked so."""
    if snapshot is None or snapshot.as_of is None:
        yield
        return
    token = _as_of.set(snapshot.as_of)
    try:
        yield
    finally:
        _as_of.reset(token)
