"""Runs a plan level by level: first the objects of all levels are found, then the answers are built from below.

In between the event loop turns, as often as the time asks for it. A large answer is made in pieces: the answer for
each object is encoded once, however often it stands in others, and its bytes are counted before they are copied.
"""

from __future__ import annotations

import asyncio
import inspect
from operator import attrgetter
from typing import Any

import msgspec

from engine.failures import Encoded
from engine.fields import LOOK_AT_TIME, RELATED_AT_ONCE, Pending, Request
from engine.handover import HandOver
from engine.places import Part, Place, by_key, standing
from resolvers.errors import AnswerTooLarge, Stopped
from resolvers.relation import ListsByKey, note_known
from resolvers.turns import InTurn, turns

FEW = 10_000
"""Values that an answer may have to be made in one piece: that takes 3 ms at most."""

FEW_PARENTS = 8
"""So many are done at once, without looking at the time."""

VALUES_AT_ONCE = 2_000
"""Of a piece: half a millisecond."""

_READY = frozenset([list, dict, ListsByKey])
"""The classes of the values that need not be awaited."""


async def answers(root: Place, request: Request) -> object:
    """What is in ``data``, ready to be encoded.

    :raises Stopped: it has too many bytes.
    :raises HandOver: there is something that only Strawberry's own execution answers rightly.
    """
    found = await _find(Part(root, [None], 1, 1), request)
    in_pieces = request.values + sum([part.total * part.place.weight for part in found]) > FEW
    for part in reversed(found):
        if in_pieces:
            await _build_in_pieces(part, request)
        else:
            _assemble(part)
            part.built = part.place.build(part.objects, *part.columns)
    return found[0].built[0]


async def _find(root: Part, request: Request) -> list[Part]:
    """The objects at all places, each level after those above it."""
    level = [root]
    found: list[Part] = []
    while level:
        found += level
        request.spend(sum([len(part.objects) * part.place.steps for part in level]))
        pending = await _fill(level, request)
        if pending and await _settle(pending):
            _spread_failures(level)
        next_level: list[Part] = []
        for part in level:
            for number, selection in part.place.selections:
                below = selection.parts(part.columns[number], part, request)
                part.below.append(below)
                if request.work > LOOK_AT_TIME and request.is_turn_over():
                    await turns().next()
                next_level += [each for each in below.parts if not _answered_at_once(each, request)]
        level = next_level
    return found


def _answered_at_once(part: Part, request: Request) -> bool:
    """Answer for the objects and all below them if nothing but relations that the catalog knows leads there.

    So nothing has to wait, and levels need not be kept together. In one request that is tried until it fails.
    """
    if part.place.relations is None or not request.at_once:
        return False
    counts: list[int] = []
    values = request.values
    built = _descend(part.place, part.objects, part.most, part.total, request, counts)
    if built is None:
        request.values = values
        return False
    note_known(sum(counts))
    part.built = built
    return True


def _descend(
    place: Place, objects: list[Any], most: int, total: int, request: Request, counts: list[int]
) -> list[Any] | None:
    """The answers for objects, each of which stands up to ``most`` times in the answer, ``total`` times all together.

    ``counts`` gets the numbers of related records.
    """
    if place.relations is None:
        return None
    request.values += total * place.weight
    if request.values > FEW or len(objects) > RELATED_AT_ONCE:
        request.at_once = False
        return None
    request.spend(len(objects) * place.steps)
    columns: list[Any] = []
    for relation, selection in place.relations:
        values = relation.known(objects, request.context)
        if values is None:
            request.at_once = False
            return None
        found = values if isinstance(values, dict) else values.found
        counts.append(len(objects) if isinstance(values, dict) else values.count)
        answers: list[Any] = []
        if found:
            records = list(found.values())
            below = selection.place_of_records(records, request)
            if counts[-1] == len(records):  # as standing() says of these
                built = _descend(below, records, most, most * counts[-1], request, counts)
            else:
                often = standing(below, values, len(objects), most)
                built = _descend(below, records, *often, request, counts)
            if built is None:
                if below.relations is None:
                    place.relations = None  # for good: it is always this place that the relation leads to
                return None
            answers = built
        columns.append(by_key(values, answers))
    return place.build(objects, *columns)


async def _fill(level: list[Part], request: Request) -> Pending:
    """Fill the columns of a level, and say what is still to be awaited for that."""
    pending: Pending = []
    try:
        for part in level:
            columns, objects = part.columns, part.objects
            for column in part.place.columns:
                values: Any
                if len(objects) > FEW_PARENTS:
                    values = await column.source.values_in_turns(objects, request, pending)
                else:
                    values = column.source.values(objects, request, pending)
                if values.__class__ not in _READY:
                    pending.append((columns, len(columns), values))
                columns.append(values)
    except BaseException:
        _drop(pending)
        raise
    return pending


async def _settle(pending: Pending) -> bool:
    """Await everything together, to the end; an error takes the place of its value. Say whether there is one."""
    if len(pending) == 1:
        ((values, place, awaitable),) = pending
        try:
            values[place] = await awaitable
        except HandOver:
            raise
        except Exception as error:
            values[place] = error
            return True
        return False
    awaitables = [InTurn(awaitable) for _, _, awaitable in pending]
    settled = await asyncio.gather(*awaitables, return_exceptions=True)
    failed = False
    for (values, place, _), value in zip(pending, settled, strict=True):
        if isinstance(value, BaseException):
            if isinstance(value, HandOver) or not isinstance(value, Exception):
                raise value
            failed = True
        values[place] = value
    return failed


def _spread_failures(level: list[Part]) -> None:
    """Let a column that failed as a whole have failed for each object."""
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
    for (number, selection), below in zip(part.place.selections, part.below, strict=True):
        columns[number] = selection.assemble(part.objects, columns[number], below)


async def _build_in_pieces(part: Part, request: Request) -> None:
    """Build the answers for the objects and encode each. Those below are encoded, and no longer needed then."""
    for below in part.below:
        for each in below.parts:
            if not each.is_encoded:  # it was answered at once
                each.built = await _encoded(each.built, request)
    _assemble(part)
    at_once = max(1, VALUES_AT_ONCE // part.place.weight)
    size = 0
    for start in range(0, len(part.objects), at_once):
        if request.is_turn_over():
            await turns().next()
        objects = part.objects[start : start + at_once]
        columns = [
            column if isinstance(column, dict) else column[start : start + at_once] for column in part.columns
        ]
        _check(size + _bytes_below(part.place, objects, columns), request)
        for answer in part.place.build(objects, *columns):
            piece = request.encoder.piece(answer)
            size += len(piece)
            # All of them stand in the answer, so it has as many bytes at least.
            _check(size, request)
            part.built.append(piece)
    part.is_encoded = True
    part.columns.clear()
    part.below.clear()


async def _encoded(answers: list[Any], request: Request) -> list[Any]:
    pieces: list[Any] = []
    size = 0
    for start in range(0, len(answers), VALUES_AT_ONCE):
        if request.is_turn_over():
            await turns().next()
        new = list(map(request.encoder.piece, answers[start : start + VALUES_AT_ONCE]))
        size += sum(map(len, new))
        _check(size, request)
        pieces += new
    return pieces


def _check(size: int, request: Request) -> None:
    if size > request.most_bytes:
        raise Stopped(AnswerTooLarge(request.most_bytes, size))


def _bytes_below(place: Place, objects: list[Any], columns: list[Any]) -> int:
    """How many bytes of answers that are there already go into those for objects."""
    size = 0
    for number, selection in place.selections:
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
