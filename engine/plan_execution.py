"""Runs a plan level by level: first the objects of all levels are found, then the answers are built from below.

In between the event loop turns, as often as the time requires. A large answer is made in pieces: the answer for each
object is encoded once, however often it occurs, and its bytes are counted before they are copied.
"""

from __future__ import annotations

import asyncio
import inspect
from operator import attrgetter
from typing import Any

import msgspec

from engine.event_loop_yielding import InTurn, turns
from engine.fallback_reasons import Fallback
from engine.field_failures import Encoded
from engine.field_sources import RELATED_AT_ONCE
from engine.plan_nodes import Part, PlanNode, by_key, standing
from engine.relation_protocols import ListsByKey
from engine.run_errors import AnswerTooLarge, Stopped
from engine.run_state import LOOK_AT_TIME, Pending, PlanRun

FEW = 10_000
"""The most values of an answer that is made in one piece, which takes 3 ms at most."""

FEW_PARENTS = 8
"""How many parents are handled at once, without reading the clock."""

VALUES_AT_ONCE = 2_000
"""The number of values in a piece, which takes half a millisecond."""

_READY = frozenset([list, dict, ListsByKey])
"""The classes of the values that need not be awaited."""


async def answers(root: PlanNode, run: PlanRun) -> object:
    """Return what is in ``data``, ready to be encoded.

    :raises Stopped: the answer has too many bytes.
    :raises Fallback: there is something that only Strawberry's own execution answers rightly.
    """
    found = await _find(Part(root, [None], 1, 1), run)
    in_pieces = run.values + sum([part.total * part.node.weight for part in found]) > FEW
    for part in reversed(found):
        if in_pieces:
            await _build_in_pieces(part, run)
        else:
            _assemble(part)
            part.built = part.node.build(part.objects, *part.columns)
    return found[0].built[0]


async def _find(root: Part, run: PlanRun) -> list[Part]:
    """Return the objects at all plan nodes, each level after those above it."""
    level = [root]
    found: list[Part] = []
    while level:
        found += level
        run.spend(sum([len(part.objects) * part.node.steps for part in level]))
        pending = await _fill(level, run)
        if pending and await _settle(pending):
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
    """Return the answers for objects and all below them, if only relations that the catalog knows lead there.

    Nothing has to wait then, and levels need not be kept together. A request tries this until it fails once.
    """
    if part.node.relations is None or not run.at_once:
        return False
    counts: list[int] = []
    values = run.values
    built = _descend(part.node, part.objects, part.most, part.total, run, counts)
    if built is None:
        run.values = values
        return False
    run.known_records += sum(counts)
    part.built = built
    return True


def _descend(
    node: PlanNode, objects: list[Any], most: int, total: int, run: PlanRun, counts: list[int]
) -> list[Any] | None:
    """Return the answers for objects, each of which stands up to ``most`` times in the answer, ``total`` times
    all together.

    ``counts`` gets the numbers of related records. Nothing but relations is below ``node``.
    """
    assert node.relations is not None
    run.values += total * node.weight
    if run.values > FEW or len(objects) > RELATED_AT_ONCE:
        run.at_once = False
        return None
    run.spend(len(objects) * node.steps)
    columns: list[Any] = []
    for relation, selection in node.relations:
        values = relation.known(objects, run.context)
        if values is None:
            run.at_once = False
            return None
        found = values if isinstance(values, dict) else values.found
        counts.append(len(objects) if isinstance(values, dict) else values.count)
        answers: list[Any] = []
        if found:
            records = list(found.values())
            below = selection.node_of_records(records, run)
            if counts[-1] == len(records):  # as standing() says of these
                built = _descend(below, records, most, most * counts[-1], run, counts)
            else:
                often = standing(below, values, len(objects), most)
                built = _descend(below, records, *often, run, counts)
            if built is None:
                return None
            answers = built
        columns.append(by_key(values, answers))
    return node.build(objects, *columns)


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


async def _settle(pending: Pending) -> bool:
    """Await everything together, to the end. An error takes the place of its value. Return whether there is one."""
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


def _assemble(part: Part) -> None:
    columns = part.columns
    for (number, selection), below in zip(part.node.selections, part.below, strict=True):
        columns[number] = selection.assemble(part.objects, columns[number], below)


async def _build_in_pieces(part: Part, run: PlanRun) -> None:
    """Build the answers for the objects and encode each. The answers below them are no longer needed then."""
    for below in part.below:
        for each in below.parts:
            if not each.is_encoded:  # it was answered at once
                each.built = await _encoded(each.built, run)
    _assemble(part)
    at_once = max(1, VALUES_AT_ONCE // part.node.weight)
    size = 0
    for start in range(0, len(part.objects), at_once):
        if run.is_turn_over():
            await turns().next()
        objects = part.objects[start : start + at_once]
        columns = [
            column if isinstance(column, dict) else column[start : start + at_once] for column in part.columns
        ]
        _check(size + _bytes_below(part.node, objects, columns), run)
        for answer in part.node.build(objects, *columns):
            piece = run.encoder.piece(answer)
            size += len(piece)
            # All of them stand in the answer, so it has as many bytes at least.
            _check(size, run)
            part.built.append(piece)
    part.is_encoded = True
    part.columns.clear()
    part.below.clear()


async def _encoded(answers: list[Any], run: PlanRun) -> list[Any]:
    pieces: list[Any] = []
    size = 0
    for start in range(0, len(answers), VALUES_AT_ONCE):
        if run.is_turn_over():
            await turns().next()
        new = list(map(run.encoder.piece, answers[start : start + VALUES_AT_ONCE]))
        size += sum(map(len, new))
        _check(size, run)
        pieces += new
    return pieces


def _check(size: int, run: PlanRun) -> None:
    if size > run.most_bytes:
        raise Stopped(AnswerTooLarge(run.most_bytes, size))


def _bytes_below(node: PlanNode, objects: list[Any], columns: list[Any]) -> int:
    """Return how many bytes of finished answers go into the answers for these objects."""
    size = 0
    for number, selection in node.selections:
        column = columns[number]
        if isinstance(column, dict):
            assert selection.key is not None
            column = list(map(column.__getitem__, map(attrgetter(selection.key), objects)))
        size += _bytes(column)
    return size


def _bytes(values: list[Any]) -> int:
    if _PIECES.issuperset(map(type, values)):
        return sum(map(len, values))
    size = 0
    for value in values:
        if value.__class__ is list:
            size += _bytes(value)
        elif value is not None:
            size += _bytes([value]) if value.__class__ in _PIECES else 0
    return size


_PIECES: frozenset[type] = frozenset([msgspec.Raw, Encoded])
