"""Logs the faults that operations meet: those of the storage, and errors that nobody expected.

Strangers can have an operation meet a fault as often as they like, and a disk that is full is one of these faults. So
each kind is logged once a minute, and the others are counted.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MAX_FAULTS = 20
"""The most kinds of faults that are logged in a minute."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kind:
    """Holds the sentence or the id under which the log has a kind of fault, and how often this minute has met it."""

    name: str
    times: int = 0


class FaultLog:
    """Logs the first fault of each kind in a minute, and then how many more there were.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._kinds: dict[Hashable, _Kind] = {}
        self._of_other_kinds = 0

    def write(self, level: int, fault: str) -> None:
        """Log a sentence about a fault, unless this minute has it already."""
        kind = self._met(fault, fault)
        if kind is not None and kind.times == 1:
            _log.log(level, "%s", fault)

    def write_error(self, error: Exception, where: str) -> str | None:
        """Log an unexpected error with its traceback, and return the id under which the log has it.

        Errors of the same type that are raised in the same place are of one kind, and have the id of the first one. The
        id is ``None`` if this minute has too many kinds already.
        """
        kind = self._met(_type_and_place(error), uuid.uuid4().hex)
        if kind is None:
            return None
        if kind.times == 1:
            _log.error("error %s at %s", kind.name, where, exc_info=error)
        return kind.name

    def _met(self, key: Hashable, name: str) -> _Kind | None:
        """Count a fault, and return its kind; ``None`` if it has none in this minute."""
        now = self._clock()
        if now - self._begun >= 60:
            self._tell_the_rest()
            self._begun, self._of_other_kinds = now, 0
            self._kinds.clear()
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= MAX_FAULTS:
                self._of_other_kinds += 1
                return None
            kind = self._kinds[key] = _Kind(name)
        kind.times += 1
        return kind

    def _tell_the_rest(self) -> None:
        for kind in self._kinds.values():
            if kind.times > 1:
                _log.warning("%d more within a minute: %s", kind.times - 1, kind.name)
        if self._of_other_kinds:
            _log.warning("%d faults of other kinds were not logged within a minute.", self._of_other_kinds)


def _type_and_place(error: Exception) -> Hashable:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = None if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    return type(error), place
