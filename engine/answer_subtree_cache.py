"""Caches subtrees of answers: what plan nodes say of the records of one catalog, as JSON.

A subtree is found by the signature of its plan node (``engine.selection_signatures``) and the id of its record.
Everything below is in it, so a grid with its packages is one subtree. A subtree is made when a record is asked for with
a signature for the second time, from an answer without errors that the catalog alone decided. So a first request costs
hardly more than without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import is_
from typing import Any, TypeAlias
from weakref import ref

import msgspec

from engine.cache_memory_budget import BudgetEntry, ByteBudget
from engine.relation_protocols import RecordId
from engine.selection_signatures import SelectionSignature
from engine.value_subtree_cache import ValueSubtreeCache

OVERHEAD = 400
"""Bytes that a subtree takes in memory beside its JSON: objects, and its places in mappings."""

OVERHEAD_OF_SIGNATURE = 2_000
"""Bytes that a signature with its subtrees takes beside these."""

LARGEST_PART = 64
"""A subtree of more than this part of all bytes is not cached."""

MAX_MET, SIGNATURE_MET = 50_000, 20
"""How many records are remembered that were asked for once, with all signatures. Beyond that, all of these are
forgotten. A signature counts as ``SIGNATURE_MET`` records."""

RecordsByType: TypeAlias = Mapping[str, Mapping[RecordId, Any]]
"""The records of a catalog by their ids, by the name of their type in the schema."""


class FoundSubtrees(msgspec.Struct, frozen=True):
    """Holds the subtrees of some records, and what making them counts."""

    answers: list[msgspec.Raw]
    size: int
    """Bytes of all of them."""
    steps: int
    records: int
    """How many records relations find."""


class AnswerSubtreeCache:
    """Holds the subtrees from one catalog. Nothing here leads back to the catalog, so they are freed with it.

    ``id_of`` reads the id of a record.
    """

    def __init__(self, records: RecordsByType, id_of: Callable[[Any], RecordId], budget: ByteBudget) -> None:
        self._records = records
        self._id_of = id_of
        self._budget = budget
        self._signatures: dict[SelectionSignature, _SubtreesOfSignature] = {}
        self._met: dict[SelectionSignature, set[RecordId]] = {}
        self._count_met = 0
        self.entries: dict[object, BudgetEntry] = {}
        """The entries of the subtrees in the budget, which is told when they are freed."""
        self._largest = budget.most // LARGEST_PART
        self.of_values = ValueSubtreeCache(budget, self.entries, self._largest)
        """The subtrees about values that are none of these records."""
        self.found = 0
        """How many subtrees were found, by all runs."""

    def __len__(self) -> int:
        return sum(len(cached.subtrees) for cached in self._signatures.values()) + len(self.of_values)

    def find(
        self, signature: SelectionSignature, objects: Sequence[Any], ids: Sequence[RecordId] | None = None
    ) -> FoundSubtrees | None:
        """Return a subtree for each of these objects, which are different ones, or ``None`` if one is missing.

        ``ids`` are given where the objects are known to be records of the catalog.
        """
        if not signature.is_of_records:
            return self._found_of_value(signature, objects)
        cached = self._signatures.get(signature)
        if cached is None:
            return None
        ids = ids or self._ids(signature, objects)
        if ids is None:
            return None
        try:
            answers = list(map(cached.subtrees.__getitem__, ids))
        except KeyError:
            return None
        counts = cached.counts.get(ids[0]) if len(ids) == 1 else None
        if counts is None:
            counts = self._counts(signature, ids, objects)
            if counts is None:
                return None
            if len(ids) == 1:
                cached.counts[ids[0]] = counts
        self._budget.touch(self.entries[signature])
        self.found += len(answers)
        return FoundSubtrees(answers, sum(map(len, answers)), *counts)

    def wanted(
        self, signature: SelectionSignature, objects: Sequence[Any], ids: Sequence[RecordId] | None = None
    ) -> Sequence[RecordId] | None:
        """Return the ids of these objects, by which their answers are to be cached; ``None`` if they are not.

        They are if all are records of the catalog, and were asked for with this signature before.
        """
        if not signature.is_cached or not signature.is_of_records:
            return None
        ids = ids or self._ids(signature, objects)
        if ids is None:
            return None
        met = self._met.get(signature)
        if met is None:
            met = self._met[signature] = set()
            self._count_met += SIGNATURE_MET
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
        signature: SelectionSignature,
        ids: Sequence[RecordId],
        answers: Sequence[object],
        steps_of_values: Sequence[int] | None = None,
    ) -> None:
        """Keep the answers for records with these ids, except those that have errors in them.

        ``steps_of_values`` are those of the objects that resolvers made of each record.
        """
        known: Mapping[RecordId, object] = (
            self._signatures[signature].subtrees if signature in self._signatures else {}
        )
        new = {
            # These are copies, because the encoder's own results take half as much memory again, as room to grow.
            id: msgspec.Raw(bytes(memoryview(answer)))
            for id, answer in zip(ids, answers, strict=True)
            if isinstance(answer, msgspec.Raw) and len(answer) <= self._largest and id not in known
        }
        if not new:
            return
        size = sum(map(len, new.values())) + OVERHEAD * len(new)
        if signature not in self._signatures:
            entry = BudgetEntry(partial(_forget, ref(self), signature))
            if not self._budget.keep(entry, size + OVERHEAD_OF_SIGNATURE):
                return
            self._signatures[signature] = _SubtreesOfSignature()
            self.entries[signature] = entry
        else:
            self._budget.grow(self.entries[signature], size)
        cached = self._signatures.get(signature)
        if cached is not None:
            cached.subtrees |= new
            if steps_of_values is not None:
                cached.values.update(zip(ids, steps_of_values, strict=True))

    def _found_of_value(self, signature: SelectionSignature, objects: Sequence[Any]) -> FoundSubtrees | None:
        subtree = self.of_values.find(signature, objects[0]) if len(objects) == 1 else None
        if subtree is None:
            return None
        self.found += 1
        return FoundSubtrees([subtree.answer], len(subtree.answer), subtree.steps, subtree.records)

    def _ids(self, signature: SelectionSignature, objects: Sequence[Any]) -> Sequence[RecordId] | None:
        """Return the ids of objects, or ``None`` if one of them is not the catalog's: it may have been loaded live."""
        records = self._records.get(signature.type.name)
        if records is None:
            return None
        if len(objects) == 1:  # Most roots lead to one record. This takes a third of the time for it.
            id = self._id_of(objects[0])
            return [id] if records.get(id) is objects[0] else None
        ids = list(map(self._id_of, objects))
        return ids if all(map(is_, map(records.get, ids), objects)) else None

    def _counts(
        self, signature: SelectionSignature, ids: Sequence[RecordId], records: Iterable[Any]
    ) -> tuple[int, int] | None:
        """Return the steps and the records of answers with a signature, or ``None`` if that is not known.

        A record that several others name counts once, because a run makes its answer once for all of them.
        """
        steps, found = signature.steps * len(ids), 0
        if signature.values:
            cached = self._signatures.get(signature)
            if cached is None or not cached.values.keys() >= set(ids):
                return None
            steps += sum(map(cached.values.__getitem__, ids))
        for relation in signature.relations:
            named = list(map(relation.named, records))
            if relation.is_to_one:
                found += len(named)
                below = set(named)
            else:
                entries = sum(map(len, named))
                found += entries
                steps += entries
                below = set().union(*named)
            if relation.signature.is_flat:
                steps += relation.signature.steps * len(below)
            elif below:
                known = self._records[relation.signature.type.name]
                counts = self._counts(relation.signature, list(below), list(map(known.__getitem__, below)))
                if counts is None:
                    return None
                steps += counts[0]
                found += counts[1]
        return steps, found


class _SubtreesOfSignature(msgspec.Struct, eq=False):
    """Holds the subtrees with one signature, by the ids of their records."""

    subtrees: dict[RecordId, msgspec.Raw] = {}
    values: dict[RecordId, int] = {}
    """The steps of the objects that resolvers made of each record, where they make any."""
    counts: dict[RecordId, tuple[int, int]] = {}
    """The steps and the records of those that were found alone."""


def _forget(owner: ref[AnswerSubtreeCache], signature: SelectionSignature) -> None:
    cached = owner()
    if cached is not None:
        del cached._signatures[signature], cached.entries[signature]
