"""Gives the time to fields whose answers depend on it."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime

from catalog import Snapshot

_as_of: ContextVar[datetime | None] = ContextVar("as_of", default=None)


def now() -> datetime:
    """Return the time in UTC, for fields and inputs that declare that they depend on it.

    For an operation that is answered as of a moment it is that moment.
    """
    return _as_of.get() or datetime.now(UTC)


class time_of:
    """Makes the time the moment as of which a snapshot is asked, if there is one.

    It is a class that does nothing for the present catalog, because every operation is run inside.
    """

    __slots__ = ("_as_of", "_token")

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._as_of = None if snapshot is None else snapshot.as_of

    def __enter__(self) -> None:
        if self._as_of is not None:
            self._token = _as_of.set(self._as_of)

    def __exit__(self, *_: object) -> None:
        if self._as_of is not None:
            _as_of.reset(self._token)
