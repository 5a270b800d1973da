"""Bounds the memory of all caches of a process together. Entries that were used least recently make room, in any
cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

LARGEST_PART = 8
"""An entry that would take more than an eighth of all bytes is not cached, because it would drive out too many
others."""


class BudgetEntry:
    """Describes an entry of a cache. ``forget`` takes it out of that cache.

    An entry that is made of another one, such as a compressed form, names that as its ``whole``. It is forgotten with
    its whole, and using it counts as a use of both.
    """

    __slots__ = ("forget", "parts", "size", "whole")

    def __init__(self, forget: Callable[[], object], whole: BudgetEntry | None = None) -> None:
        self.forget = forget
        self.whole = whole
        self.size = 0
        self.parts: set[BudgetEntry] | None = None
        """The entries that are made of it, which most entries do not have."""


class ByteBudget:
    """Bounds what all caches that share it take: up to ``most`` bytes, and with 0 nothing is cached."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        """The bytes that all entries take, by the account of their caches."""
        self._entries: OrderedDict[BudgetEntry, None] = OrderedDict()

    def __contains__(self, entry: BudgetEntry) -> bool:
        return entry in self._entries

    def keep(self, entry: BudgetEntry, size: int) -> bool:
        """Keep an entry that takes ``size`` bytes. ``False`` if it cannot be: it is too large, or its whole is gone."""
        if size * LARGEST_PART > self.most or not (entry.whole is None or entry.whole in self._entries):
            return False
        self._entries[entry] = None
        if entry.whole is not None:
            entry.whole.parts = entry.whole.parts or set()
            entry.whole.parts.add(entry)
            self.touch(entry.whole)
        entry.size = size
        self.taken += size
        # It cannot drive out itself, because it takes a quarter with its whole, and both were used last.
        self._make_room()
        return True

    def grow(self, entry: BudgetEntry, size: int) -> None:
        """Count ``size`` bytes more for a cached entry. If it alone became too large, it is forgotten too."""
        entry.size += size
        self.taken += size
        self.touch(entry)
        self._make_room()

    def touch(self, entry: BudgetEntry) -> None:
        """Note that a cached entry is used now, so that others make room before it."""
        used: BudgetEntry | None = entry
        while used is not None:
            self._entries.move_to_end(used)
            used = used.whole

    def forget(self, entry: BudgetEntry) -> None:
        """Take an entry out of its cache, and all that is made of it."""
        if entry not in self._entries:
            return
        del self._entries[entry]
        self.taken -= entry.size
        if entry.whole is not None and entry.whole.parts is not None:
            entry.whole.parts.discard(entry)
        for part in list(entry.parts or ()):
            self.forget(part)
        entry.forget()

    def _make_room(self) -> None:
        while self.taken > self.most:
            self.forget(next(iter(self._entries)))
