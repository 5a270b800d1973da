"""Reads from a request how many items it asks of each list of an operation, by page sizes or by lists of keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import FieldNode, IntValueNode, ListValueNode, NullValueNode, ValueNode, VariableNode

from schema import ListLength

MAX_ITEMS = 1000
"""The most items that any field takes as a number. A larger number is an error of its field, and costs nothing more."""

_DIGITS = len(str(MAX_ITEMS))


class AskedLength(msgspec.Struct, frozen=True, gc=False):
    """Says how long a list is by the values of variables. The first variable that is not null decides."""

    variables: tuple[str, ...]
    otherwise: int
    """The number of items if none of them has a value."""

    def of(self, values: Mapping[str, Any]) -> int:
        """Return the number of items for these values of the variables."""
        for name in self.variables:
            value = values.get(name)
            if value is not None:
                return _items(value)
        return self.otherwise


def asked_length(node: FieldNode, length: ListLength) -> int | AskedLength:
    """Return how many items a field asks for, or the variables that decide it."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    if length.keys is not None:
        return _by(given.get(length.keys), 0)
    variables: list[str] = []
    for name in length.slicing:
        value = given.get(name)
        if isinstance(value, VariableNode):
            variables.append(value.name.value)
        elif value is not None and not isinstance(value, NullValueNode):
            items = _written(value)
            return AskedLength(tuple(variables), items) if variables else items
    return AskedLength(tuple(variables), length.default) if variables else length.default


def _by(value: ValueNode | None, default: int) -> int | AskedLength:
    if isinstance(value, VariableNode):
        return AskedLength((value.name.value,), default)
    return default if value is None else _written(value)


def _written(value: ValueNode) -> int:
    if isinstance(value, ListValueNode):
        return len(value.values)
    if isinstance(value, IntValueNode):
        # A number with more digits is not allowed, and may have more digits than Python can read.
        return min(max(int(value.value), 0), MAX_ITEMS) if len(value.value) <= _DIGITS else MAX_ITEMS
    return 1  # one key, which stands for a list of it


def _items(value: Any) -> int:
    if isinstance(value, list):
        return len(value)
    if isinstance(value, int | float):
        return int(value) if 0 <= value <= MAX_ITEMS else 0 if value < 0 else MAX_ITEMS
    return 1
