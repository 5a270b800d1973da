"""Runs a plan level by level: first the objects of all levels are found, then the answers are built from below.

Nothing is run below objects whose subtrees are cached. The event loop turns in between, as often as the time requires.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from engine.answer_building import build, build_in_pieces
from engine.answer_subtree_reuse import (
    SubtreeCaching,
    SubtreeCounts,
    answers_of_subtrees,
    are_encoded,
    count_values,
    encoded_and_cached,
)
from engine.event_loop_yielding import InTurn, turns
from engine.fallback_reasons import Fallback
from engine.field_sources import RELATED_AT_ONCE
from engine.plan_nodes import Part, PlanNode, by_key, standing
from engine.relation_protocols import ListsByKey, RecordId
from engine.run_state import LOOK_AT_TIME, Pending, PlanRun
from engine.synchronous_run import MustWait

FEW = 10_000
"""The most values of an answer that is made in one piece, which takes 3 ms at most."""

FEW_PARENTS = 8
"""How many parents are handled at once, without reading the clock."""

_READY = frozenset([list, dict, ListsByKey])
"""The classes of the values that need not be awaited."""


async def answers(root: PlanNode, run: PlanRun) -> object:
    """Return what is in ``data``, ready to be encoded.

    :raises Stopped: the answer has too many bytes.
    :raises Fallback: only Strawberry's own execution answers this correctly.
    """
    found = await _find(Part(root, [None], 1, 1), run)
    count_values(found, run)
    in_pieces = run.values + sum([part.total * part.node.weight for part in found]) > FEW
    for part in reversed(found):
        keeping = SubtreeCaching.of(part, run)
        if in_pieces:
            await build_in_pieces(part, run)
        else:
            build(part)
        if keeping is not None:
            await keeping.keep(part, run)
    return found[0].built[0]


async def _find(root: Part, run: PlanRun) -> list[Part]:
    """Return the objects at all plan nodes, each level after those above it."""
    level = [root]
    found: list[Part] = []
    while level:
        found += level
        run.spend(sum([len(part.objects) * part.node.steps for part in level]))
        with run.span("graphql.level") as traced:
            traced.set("gateway.level.nodes", len(level))
            pending = await _fill(level, run)
            if pending and await _settle(pending, run):
                _spread_failures(level)
        next_level: list[Part] = []
        for part in level:
            for number, selection in part.node.selections:
                below = selection.parts(part.columns[number], part, run)
                part.below.append(below)
                if run.work > LOOK_AT_TIME and run.is_turn_over():
                    await turns().next()
                next_level += [each for each in below.parts if not _answered_at_once(each, run)]
        level = next_level
    return found


def _answered_at_once(part: Part, run: PlanRun) -> bool:
    """Answer for the objects and all below them, if their subtrees are cached or only relations that the catalog knows
    lead there.

    Nothing has to wait then, and levels need not be kept together. A request tries the latter until it fails once.
    """
    counts = SubtreeCounts()
    built = answers_of_subtrees(part.node, part.objects, part.most, run, counts)
    if built is None:
        if part.node.relations is None or not run.at_once:
            return False
        values = run.values
        built = _descend(part.node, part.objects, part.most, part.total, run, counts)
        if built is None:
            run.values = values
            run.spend(-counts.steps)  # they are counted level by level now
            return False
    run.known_records += counts.records
    part.built = built
    part.is_whole = True
    part.counts = counts.steps, counts.records
    part.is_encoded = are_encoded(built)
    return True


def _descend(
    node: PlanNode,
    objects: list[Any],
    most: int,
    total: int,
    run: PlanRun,
    counts: SubtreeCounts,
    ids: list[RecordId] | None = None,
) -> list[Any] | None:
    """Return the answers for objects. Each of them occurs up to ``most`` times in the answer, and all together
    ``total`` times.

    Nothing but relations is below ``node``. ``ids`` are given if the objects are known to be records of the catalog.
    """
    assert node.relations is not None
    run.values += total * node.weight
    if run.values > FEW or len(objects) > RELATED_AT_ONCE:
        run.at_once = False
        return None
    counts.spend(len(objects) * node.steps, run)
    columns: list[Any] = []
    for relation, selection in node.relations:
        values = relation.known(objects, run.context)
        if values is None:
            run.at_once = False
            return None
        counts.find(values, len(objects), run)
        found = values if isinstance(values, dict) else values.found
        answers: list[Any] = []
        if found:
            records, below_ids = list(found.values()), list(found)
            below = selection.node_of_records(records, run)
            count = len(objects) if isinstance(values, dict) else values.count
            # These are the bounds that standing() computes.
            often = (
                (most, most * count) if count == len(records) else standing(below, values, len(objects), most)
            )
            built = answers_of_subtrees(below, records, often[0], run, counts, below_ids)
            if built is None:
                built = _descend(below, records, *often, run, counts, below_ids)
            if built is None:
                return None
            answers = built
        columns.append(by_key(values, answers))
    return encoded_and_cached(node, objects, node.build(objects, *columns), run, ids)


async def _fill(level: list[Part], run: PlanRun) -> Pending:
    """Fill the columns of a level, and return what still has to be awaited for them."""
    pending: Pending = []
    try:
        for part in level:
            columns, objects = part.columns, part.objects
            for column in part.node.columns:
                values: Any
                if len(objects) > FEW_PARENTS:
                    values = await column.source.values_in_turns(objects, run, pending)
                else:
                    values = column.source.values(objects, run, pending)
                if values.__class__ not in _READY:
                    pending.append((columns, len(columns), values))
                columns.append(values)
    except BaseException:
        _drop(pending)
        raise
    return pending


async def _settle(pending: Pending, run: PlanRun) -> bool:
    """Await everything together, to the end. An error takes the place of its value. Return whether there is one.

    :raises MustWait: there is an error, or something would have to wait, in a run that may not wait.
    """
    if not run.may_wait:
        await _settle_one_by_one(pending)
        return False
    if len(pending) == 1:
        ((values, index, awaitable),) = pending
        try:
            values[index] = await awaitable
        except Fallback:
            raise
        except Exception as error:
            values[index] = error
            return True
        return False
    awaitables = [InTurn(awaitable) for _, _, awaitable in pending]
    settled = await asyncio.gather(*awaitables, return_exceptions=True)
    failed = False
    for (values, index, _), value in zip(pending, settled, strict=True):
        if isinstance(value, BaseException):
            if isinstance(value, Fallback) or not isinstance(value, Exception):
                raise value
            failed = True
        values[index] = value
    return failed


async def _settle_one_by_one(pending: Pending) -> None:
    """Await what does not wait, without a task for each."""
    try:
        for values, index, awaitable in pending:
            values[index] = await awaitable
    except BaseException as error:
        _drop(pending)
        if isinstance(error, Exception) and not isinstance(error, Fallback):
            # The ordinary way meets the same failure, and makes the error of a field of it.
            raise MustWait from None
        raise


def _spread_failures(level: list[Part]) -> None:
    """Turn the failure of a whole column into one failure for each object."""
    for part in level:
        for number, values in enumerate(part.columns):
            if isinstance(values, Exception):
                part.columns[number] = [values] * len(part.objects)


def _drop(pending: Pending) -> None:
    for _, _, awaitable in pending:
        if inspect.iscoroutine(awaitable):
            awaitable.close()
