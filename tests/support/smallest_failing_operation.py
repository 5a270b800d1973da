"""Cuts an operation that fails down to what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

from tests.support.operation_texts import Operation, Selected

Place = tuple[int, ...]


def simplest(operation: Operation, fails: Callable[[Operation], bool]) -> Operation:
    """Return what is left of an operation that fails when nothing can be left out of it any more."""
    smaller = True
    while smaller:
        smaller = False
        for path in list(_positions(operation)):
            cut = deepcopy(operation)
            selections, place = _at(cut, path)
            del selections[place]
            if selections and fails(cut):
                operation, smaller = cut, True
                break
    return operation


def _positions(operation: Operation) -> Iterator[Place]:
    def inside(selections: list[Selected], path: Place) -> Iterator[Place]:
        for place, each in enumerate(selections):
            yield (*path, place)
            yield from inside(each.below or [], (*path, place))

    yield from inside(operation.selected, (0,))
    yield from inside(operation.fragments, (1,))


def _at(operation: Operation, path: Place) -> tuple[list[Selected], int]:
    selections = operation.fragments if path[0] else operation.selected
    for place in path[1:-1]:
        below = selections[place].below
        assert below is not None
        selections = below
    return selections, path[-1]
