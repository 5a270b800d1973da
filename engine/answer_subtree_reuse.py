"""Answers objects from cached subtrees during a run, and gives new answers to be cached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import msgspec
from graphql import Undefined

from engine.answer_building import PIECES
from engine.event_loop_yielding import turns
from engine.field_sources import Called
from engine.plan_nodes import Part, PlanNode
from engine.relation_protocols import ListsByKey, RecordId
from engine.run_state import PlanRun

BYTES_OF_VALUE = 20
"""As many bytes of subtrees count as one value, when it is decided whether an answer is large."""

FOUND_IN_A_MICROSECOND = 32
"""How many records below subtrees are counted in a microsecond."""

CACHED_AT_ONCE = 500
"""How many subtrees are cached before the clock is read."""


class SubtreeCounts(msgspec.Struct, eq=False):
    """Counts the steps of work, and the records that relations found, below some objects."""

    steps: int = 0
    records: int = 0

    def spend(self, steps: int, run: PlanRun) -> None:
        """Count steps here and in the run."""
        self.steps += steps
        run.spend(steps)

    def find(self, values: dict[RecordId, Any] | ListsByKey[Any], parents: int, run: PlanRun) -> None:
        """Count what a relation of this many parents found."""
        if isinstance(values, dict):
            self.records += parents
        else:
            self.records += values.count
            self.spend(values.count, run)


def answers_of_subtrees(
    node: PlanNode,
    objects: Sequence[Any],
    most: int,
    run: PlanRun,
    counts: SubtreeCounts,
    ids: Sequence[RecordId] | None = None,
) -> list[Any] | None:
    """Return the cached subtrees of objects, if all are cached. Each object occurs up to ``most`` times in the answer.

    They count as much as making them would. ``ids`` are given if the objects are known to be records of the catalog.
    """
    if node.signature is None or run.subtrees is None or not node.signature.is_cached:
        return None
    found = run.subtrees.find(node.signature, objects, ids)
    if found is None:
        return None
    run.used_subtrees = True
    run.values += most * found.size // BYTES_OF_VALUE
    run.work += found.records // FOUND_IN_A_MICROSECOND
    counts.records += found.records
    counts.spend(found.steps, run)
    return found.answers


def encoded_and_cached(
    node: PlanNode, objects: list[Any], built: list[Any], run: PlanRun, ids: Sequence[RecordId] | None
) -> list[Any]:
    """Return the answers for objects, and encode and cache them if they are wanted. The catalog knew all below."""
    if node.signature is None or run.subtrees is None:
        return built
    wanted = run.subtrees.wanted(node.signature, objects, ids)
    if wanted is None:
        return built
    run.used_subtrees = True
    answers = list(map(run.encoder.piece, built))
    run.subtrees.keep(node.signature, wanted, answers)
    return answers


def are_encoded(answers: list[Any]) -> bool:
    """Return whether these are JSON already: all of them are, or none."""
    return bool(answers) and answers[0].__class__ in PIECES


def count_values(found: list[Part], run: PlanRun) -> None:
    """Count what is below each value whose answer is to be cached. Nothing is built yet."""
    if run.subtrees is None:
        return
    for part in found:
        signature = part.node.signature
        if signature is None or signature.is_of_records or len(part.objects) != 1:
            continue
        if run.subtrees.of_values.is_wanted(signature, part.objects[0]):
            part.counts = _counted(part)


def _counted(part: Part) -> tuple[int, int]:
    """Return the steps and the records that the run has counted for the objects of a part and all below."""
    if part.counts is not None:
        return part.counts
    number = len(part.objects)
    steps, records = number * part.node.steps, 0
    for column, values in zip(part.node.columns, part.columns, strict=True):
        if isinstance(column.source, Called):
            steps += number * column.source.steps
        elif isinstance(values, ListsByKey):
            steps += values.count
            records += values.count
        elif isinstance(values, dict):
            records += number
    for each in [each for below in part.below for each in below.parts]:
        counts = _counted(each)
        steps += counts[0]
        records += counts[1]
    return steps, records


class SubtreeCaching(msgspec.Struct, frozen=True):
    """Holds what is known of a part whose answers are to be cached, before they are built."""

    ids: Sequence[RecordId]
    """The ids of its records; none if it has a value that is reused."""
    values: list[int] | None
    """The steps of the objects that resolvers made of each record, if there can be any."""

    @classmethod
    def of(cls, part: Part, run: PlanRun) -> Self | None:
        """Return it for a part whose parts below are built; ``None`` if its answers are not to be cached."""
        signature = part.node.signature
        if signature is None or run.subtrees is None:
            return None
        if any(part.columns[relation.column].__class__ is list for relation in signature.relations):
            return None  # something had to be loaded, or was not found
        part.is_whole = all(each.is_whole for below in part.below for each in below.parts)
        if not signature.is_of_records:
            return cls((), None) if part.is_whole and part.counts is not None else None
        ids = run.subtrees.wanted(signature, part.objects) if part.is_whole else None
        if ids is None:
            return None
        if not signature.values:
            return cls(ids, None)
        steps = [0] * len(part.objects)
        for number, signature_below in signature.values:
            made = [value is not None and value is not Undefined for value in part.columns[number]]
            if len(set(map(id, part.columns[number]))) < made.count(True):
                return None  # one object was made of several records, and counts once for all of them
            steps = [
                each + signature_below.steps * is_made for each, is_made in zip(steps, made, strict=True)
            ]
        return cls(ids, steps)

    async def keep(self, part: Part, run: PlanRun) -> None:
        """Keep the answers, which are built now."""
        signature, subtrees = part.node.signature, run.subtrees
        assert signature is not None
        assert subtrees is not None
        if part.counts is not None:
            if not part.is_encoded:
                part.built = [run.encoder.piece(part.built[0])]
            subtrees.of_values.keep(signature, part.objects[0], part.built[0], *part.counts)
        for start in range(0, len(self.ids), CACHED_AT_ONCE):
            if start and run.is_turn_over():
                await turns().next()
            some = slice(start, start + CACHED_AT_ONCE)
            if not part.is_encoded:
                part.built[some] = map(run.encoder.piece, part.built[some])
            values = None if self.values is None else self.values[some]
            subtrees.keep(signature, self.ids[some], part.built[some], values)
        part.is_encoded = True
