"""Sums up when packages were last added and removed, for filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from catalog.history.record_deltas import ChangeKind


@dataclass(frozen=True, slots=True, eq=False)
class AddedAndRemoved:
    """Holds the times by the id of the package, in seconds since 1970, as far as history reaches.

    A new value replaces this one with each catalog, so that a reader of this one sees a consistent state.
    """

    added: Mapping[int, float] = field(default_factory=dict)
    """When a package was last added. A package that existed when history began is missing."""
    removed: Mapping[int, float] = field(default_factory=dict)
    """When a package was last removed, whether or not it came back."""

    digest: tuple[int, float] = (0, 0.0)
    """Identifies this value: how many additions and removals it has, and the time of the last one."""

    moves: tuple[tuple[int, ChangeKind, datetime], ...] = ()
    """All that happened, oldest first: the ids, what happened, and when."""

    @classmethod
    def of(cls, moves: Iterable[tuple[int, ChangeKind, datetime]]) -> AddedAndRemoved:
        """Return the sum of what happened, oldest first: the ids, what happened, and when."""
        added: dict[int, float] = {}
        removed: dict[int, float] = {}
        count, last = 0, 0.0
        told = tuple(moves)
        for id, what, at in told:
            count, last = count + 1, at.timestamp()
            (added if what == "added" else removed)[id] = last
        return cls(added, removed, (count, last), told)

    def until(self, moment: datetime) -> AddedAndRemoved:
        """Return the sum of what had happened by a moment."""
        return AddedAndRemoved.of(move for move in self.moves if move[2] <= moment)
