"""Caches pieces of answers about values that resolvers give again, such as a page of a list, as JSON.

Such a value never changes, and the catalog alone decides what it holds. So a plan node with a form
(``engine.answer_piece_forms``) says the same of it each time. Everything below is in the piece. What making the answer
counts cannot be told from the value, as it can from a record, so it is kept with the piece.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, Protocol, TypeAlias
from weakref import ref

import msgspec

from engine.answer_piece_forms import PieceForm
from engine.byte_budget import BudgetEntry, ByteBudget

OVERHEAD = 5_000
"""Bytes that a piece takes beside its JSON, for its form and its value. A page of a list has up to 100 records."""

MAX_MET = 2_000
"""How many values are remembered that were asked for once, in all forms. Beyond that, all of these are forgotten."""


class ReusedValue(Protocol):
    """Declares what the engine asks of a value that resolvers give again."""

    @property
    def is_reused(self) -> bool:
        """Return whether this object never changes, and is given wherever the same is asked of its catalog."""


PieceKey: TypeAlias = tuple[PieceForm, int]
"""Identifies a piece by its form and the ``id()`` of its value."""


class ValuePiece(NamedTuple):
    """Holds the answer for a value, and what making it counts."""

    value: object
    """The value itself, so that no other object gets its ``id()``."""
    answer: msgspec.Raw
    steps: int
    records: int
    entry: BudgetEntry


class ValuePieceCache:
    """Holds the pieces about values of one catalog. Nothing here leads back to the catalog.

    ``entries`` gets the entry of each in the budget. A piece of more than ``largest`` bytes is not cached.
    """

    def __init__(self, budget: ByteBudget, entries: dict[object, BudgetEntry], largest: int) -> None:
        self._budget = budget
        self._entries = entries
        self._largest = largest
        self._pieces: dict[PieceKey, ValuePiece] = {}
        self._met: set[PieceKey] = set()

    def __len__(self) -> int:
        return len(self._pieces)

    def find(self, form: PieceForm, value: object) -> ValuePiece | None:
        """Return the piece about a value, if there is one."""
        piece = self._pieces.get((form, id(value)))
        if piece is None or piece.value is not value:
            return None
        self._budget.touch(piece.entry)
        return piece

    def is_wanted(self, form: PieceForm, value: object) -> bool:
        """Return whether the answer for a value is to be cached: it is reused, and this form was asked for before."""
        if not getattr(value, "is_reused", False):
            return False
        key = form, id(value)
        if key in self._met:
            return True
        if len(self._met) >= MAX_MET:
            self._met.clear()
        self._met.add(key)
        return False

    def keep(self, form: PieceForm, value: object, answer: object, steps: int, records: int) -> None:
        """Keep the answer for a value, unless it has errors in it."""
        key = form, id(value)
        if not isinstance(answer, msgspec.Raw) or len(answer) > self._largest or key in self._pieces:
            return
        entry = BudgetEntry(partial(_forget, ref(self), key))
        if self._budget.keep(entry, len(answer) + OVERHEAD):
            # This is a copy, because the encoder's own result takes half as much memory again, as room to grow.
            copied = msgspec.Raw(bytes(memoryview(answer)))
            self._pieces[key] = ValuePiece(value, copied, steps, records, entry)
            self._entries[key] = entry


def _forget(owner: ref[ValuePieceCache], key: PieceKey) -> None:
    cached = owner()
    if cached is not None:
        del cached._pieces[key], cached._entries[key]
