"""Caches subtrees of answers about values that resolvers give again, such as a page of a list, as JSON.

Such a value never changes, and the catalog alone decides what it holds. So a plan node with a signature
(``engine.selection_signatures``) says the same of it each time. Everything below is in the subtree. What making the
answer counts cannot be told from the value, as it can from a record, so it is kept with the subtree.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, Protocol, TypeAlias
from weakref import ref

import msgspec

from engine.cache_memory_budget import BudgetEntry, ByteBudget
from engine.selection_signatures import SelectionSignature

OVERHEAD = 5_000
"""Bytes that a subtree takes beside its JSON, for its signature and its value. A page has up to 100 records."""

MAX_MET = 2_000
"""How many values are remembered that were asked for once, with all signatures. Beyond that, all are forgotten."""


class ReusedValue(Protocol):
    """Declares what the engine asks of a value that resolvers give again."""

    @property
    def is_reused(self) -> bool:
        """Return whether this object never changes, and is given wherever the same is asked of its catalog."""


SubtreeKey: TypeAlias = tuple[SelectionSignature, int]
"""Identifies a subtree by its signature and the ``id()`` of its value."""


class ValueSubtree(NamedTuple):
    """Holds the answer for a value, and what making it counts."""

    value: object
    """The value itself, so that no other object gets its ``id()``."""
    answer: msgspec.Raw
    steps: int
    records: int
    entry: BudgetEntry


class ValueSubtreeCache:
    """Holds the subtrees about values of one catalog. Nothing here leads back to the catalog.

    ``entries`` gets the entry of each in the budget. A subtree of more than ``largest`` bytes is not cached.
    """

    def __init__(self, budget: ByteBudget, entries: dict[object, BudgetEntry], largest: int) -> None:
        self._budget = budget
        self._entries = entries
        self._largest = largest
        self._subtrees: dict[SubtreeKey, ValueSubtree] = {}
        self._met: set[SubtreeKey] = set()

    def __len__(self) -> int:
        return len(self._subtrees)

    def find(self, signature: SelectionSignature, value: object) -> ValueSubtree | None:
        """Return the subtree about a value, if there is one."""
        subtree = self._subtrees.get((signature, id(value)))
        if subtree is None or subtree.value is not value:
            return None
        self._budget.touch(subtree.entry)
        return subtree

    def is_wanted(self, signature: SelectionSignature, value: object) -> bool:
        """Return whether the answer for a value is to be cached: it is reused, and came with this signature before."""
        if not getattr(value, "is_reused", False):
            return False
        key = signature, id(value)
        if key in self._met:
            return True
        if len(self._met) >= MAX_MET:
            self._met.clear()
        self._met.add(key)
        return False

    def keep(
        self, signature: SelectionSignature, value: object, answer: object, steps: int, records: int
    ) -> None:
        """Keep the answer for a value, unless it has errors in it."""
        key = signature, id(value)
        if not isinstance(answer, msgspec.Raw) or len(answer) > self._largest or key in self._subtrees:
            return
        entry = BudgetEntry(partial(_forget, ref(self), key))
        if self._budget.keep(entry, len(answer) + OVERHEAD):
            # This is a copy, because the encoder's own result takes half as much memory again, as room to grow.
            copied = msgspec.Raw(bytes(memoryview(answer)))
            self._subtrees[key] = ValueSubtree(value, copied, steps, records, entry)
            self._entries[key] = entry


def _forget(owner: ref[ValueSubtreeCache], key: SubtreeKey) -> None:
    cached = owner()
    if cached is not None:
        del cached._subtrees[key], cached._entries[key]
