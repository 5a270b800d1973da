"""Builds the answers for the objects at a plan node, when those for all below are built.

A large answer is made in pieces: the answer for each object is encoded once, however often it occurs in others, and its
bytes are counted before they are copied.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from engine.event_loop_yielding import turns
from engine.field_failures import Encoded
from engine.plan_nodes import Part, PlanNode
from engine.run_errors import AnswerTooLarge, Stopped
from engine.run_state import PlanRun

VALUES_AT_ONCE = 2_000
"""The number of values in a piece, which takes half a millisecond."""


def build(part: Part) -> None:
    """Build the answers for the objects at once."""
    _assemble(part)
    part.built = part.node.build(part.objects, *part.columns)


def _assemble(part: Part) -> None:
    columns = part.columns
    for (number, selection), below in zip(part.node.selections, part.below, strict=True):
        columns[number] = selection.assemble(part.objects, columns[number], below)


async def build_in_pieces(part: Part, run: PlanRun) -> None:
    """Build the answers for the objects and encode each. The answers below them are no longer needed then.

    :raises Stopped: they have too many bytes.
    """
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
            # The answer contains all of them, so it has at least as many bytes.
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
    if PIECES.issuperset(map(type, values)):
        return sum(map(len, values))
    size = 0
    for value in values:
        if value.__class__ is list:
            size += _bytes(value)
        elif value is not None:
            size += _bytes([value]) if value.__class__ in PIECES else 0
    return size


PIECES: frozenset[type] = frozenset([msgspec.Raw, Encoded])
"""The classes of encoded answers."""
