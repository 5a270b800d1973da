"""Caches pieces of answers: what plan nodes say of the records of one catalog, as JSON.

A piece is found by the form of its plan node (``engine.answer_piece_forms``) and the id of its record. Everything below
is in it, so a grid with its packages is one piece. A piece is made when a record is asked for in a form for the second
time, from an answer without errors that the catalog alone decided. So a first request costs hardly more than without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import is_
from typing import Any, TypeAlias
from weakref import ref

import msgspec

from engine.answer_piece_forms import PieceForm
from engine.byte_budget import BudgetEntry, ByteBudget
from engine.relation_protocols import RecordId
from engine.value_piece_cache import ValuePieceCache

OVERHEAD = 400
"""Bytes that a piece takes in memory beside its JSON: objects, and its places in mappings."""

OVERHEAD_OF_FORM = 2_000
"""Bytes that a form with its pieces takes beside these."""

LARGEST_PART = 64
"""A piece of more than this part of all bytes is not cached."""

MAX_MET, FORM_MET = 50_000, 20
"""How many records are remembered that were asked for once, in all forms. Beyond that, all of these are forgotten. A
form counts as ``FORM_MET`` records."""

RecordsByType: TypeAlias = Mapping[str, Mapping[RecordId, Any]]
"""The records of a catalog by their ids, by the name of their type in the schema."""


class FoundPieces(msgspec.Struct, frozen=True):
    """Holds the pieces of some records, and what making them counts."""

    answers: list[msgspec.Raw]
    size: int
    """Bytes of all of them."""
    steps: int
    records: int
    """How many records relations find."""


class AnswerPieceCache:
    """Holds the pieces from one catalog. Nothing here leads back to the catalog, so they are freed with it.

    ``id_of`` reads the id of a record.
    """

    def __init__(self, records: RecordsByType, id_of: Callable[[Any], RecordId], budget: ByteBudget) -> None:
        self._records = records
        self._id_of = id_of
        self._budget = budget
        self._forms: dict[PieceForm, _PiecesOfForm] = {}
        self._met: dict[PieceForm, set[RecordId]] = {}
        self._count_met = 0
        self.entries: dict[object, BudgetEntry] = {}
        """The entries of the pieces in the budget, which is told when they are freed."""
        self._largest = budget.most // LARGEST_PART
        self.of_values = ValuePieceCache(budget, self.entries, self._largest)
        """The pieces about values that are none of these records."""
        self.found = 0
        """How many pieces were found, by all runs."""

    def __len__(self) -> int:
        return sum(len(cached.pieces) for cached in self._forms.values()) + len(self.of_values)

    def find(
        self, form: PieceForm, objects: Sequence[Any], ids: Sequence[RecordId] | None = None
    ) -> FoundPieces | None:
        """Return a piece for each of these objects, which are different ones, or ``None`` if one is missing.

        ``ids`` are given where the objects are known to be records of the catalog.
        """
        if not form.is_of_records:
            return self._found_of_value(form, objects)
        cached = self._forms.get(form)
        if cached is None:
            return None
        ids = ids or self._ids(form, objects)
        if ids is None:
            return None
        try:
            answers = list(map(cached.pieces.__getitem__, ids))
        except KeyError:
            return None
        counts = cached.counts.get(ids[0]) if len(ids) == 1 else None
        if counts is None:
            counts = self._counts(form, ids, objects)
            if counts is None:
                return None
            if len(ids) == 1:
                cached.counts[ids[0]] = counts
        self._budget.touch(self.entries[form])
        self.found += len(answers)
        return FoundPieces(answers, sum(map(len, answers)), *counts)

    def wanted(
        self, form: PieceForm, objects: Sequence[Any], ids: Sequence[RecordId] | None = None
    ) -> Sequence[RecordId] | None:
        """Return the ids of these objects, by which their answers are to be cached; ``None`` if they are not.

        They are if all are records of the catalog, and were asked for in this form before.
        """
        if not form.is_cached or not form.is_of_records:
            return None
        ids = ids or self._ids(form, objects)
        if ids is None:
            return None
        met = self._met.get(form)
        if met is None:
            met = self._met[form] = set()
            self._count_met += FORM_MET
        elif met.issuperset(ids):
            return ids
        self._count_met -= len(met)
        met.update(ids)
        self._count_met += len(met)
        if self._count_met > MAX_MET:
            self._met.clear()
            self._count_met = 0
        return None

    def keep(
        self,
        form: PieceForm,
        ids: Sequence[RecordId],
        answers: Sequence[object],
        steps_of_values: Sequence[int] | None = None,
    ) -> None:
        """Keep the answers for records with these ids, except those that have errors in them.

        ``steps_of_values`` are those of the objects that resolvers made of each record.
        """
        known: Mapping[RecordId, object] = self._forms[form].pieces if form in self._forms else {}
        new = {
            # These are copies, because the encoder's own results take half as much memory again, as room to grow.
            id: msgspec.Raw(bytes(memoryview(answer)))
            for id, answer in zip(ids, answers, strict=True)
            if isinstance(answer, msgspec.Raw) and len(answer) <= self._largest and id not in known
        }
        if not new:
            return
        size = sum(map(len, new.values())) + OVERHEAD * len(new)
        if form not in self._forms:
            entry = BudgetEntry(partial(_forget, ref(self), form))
            if not self._budget.keep(entry, size + OVERHEAD_OF_FORM):
                return
            self._forms[form] = _PiecesOfForm()
            self.entries[form] = entry
        else:
            self._budget.grow(self.entries[form], size)
        cached = self._forms.get(form)
        if cached is not None:
            cached.pieces |= new
            if steps_of_values is not None:
                cached.values.update(zip(ids, steps_of_values, strict=True))

    def _found_of_value(self, form: PieceForm, objects: Sequence[Any]) -> FoundPieces | None:
        piece = self.of_values.find(form, objects[0]) if len(objects) == 1 else None
        if piece is None:
            return None
        self.found += 1
        return FoundPieces([piece.answer], len(piece.answer), piece.steps, piece.records)

    def _ids(self, form: PieceForm, objects: Sequence[Any]) -> Sequence[RecordId] | None:
        """Return the ids of objects, or ``None`` if one of them is not the catalog's: it may have been loaded live."""
        records = self._records.get(form.type.name)
        if records is None:
            return None
        ids = list(map(self._id_of, objects))
        return ids if all(map(is_, map(records.get, ids), objects)) else None

    def _counts(
        self, form: PieceForm, ids: Sequence[RecordId], records: Iterable[Any]
    ) -> tuple[int, int] | None:
        """Return the steps and the records of answers in a form, or ``None`` if that is not known.

        A record that several others name counts once, because a run makes its answer once for all of them.
        """
        steps, found = form.steps * len(ids), 0
        if form.values:
            cached = self._forms.get(form)
            if cached is None or not cached.values.keys() >= set(ids):
                return None
            steps += sum(map(cached.values.__getitem__, ids))
        for relation in form.relations:
            named = list(map(relation.named, records))
            if relation.is_to_one:
                found += len(named)
                below = set(named)
            else:
                entries = sum(map(len, named))
                found += entries
                steps += entries
                below = set().union(*named)
            if relation.form.is_flat:
                steps += relation.form.steps * len(below)
            elif below:
                known = self._records[relation.form.type.name]
                counts = self._counts(relation.form, list(below), list(map(known.__getitem__, below)))
                if counts is None:
                    return None
                steps += counts[0]
                found += counts[1]
        return steps, found


class _PiecesOfForm(msgspec.Struct, eq=False):
    """Holds the pieces in one form, by the ids of their records."""

    pieces: dict[RecordId, msgspec.Raw] = {}
    values: dict[RecordId, int] = {}
    """The steps of the objects that resolvers made of each record, where they make any."""
    counts: dict[RecordId, tuple[int, int]] = {}
    """The steps and the records of those that were found alone."""


def _forget(owner: ref[AnswerPieceCache], form: PieceForm) -> None:
    cached = owner()
    if cached is not None:
        del cached._forms[form], cached.entries[form]
