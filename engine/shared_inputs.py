"""Makes the value of an input once for all requests in which the document and its variables say the same.

The compiler finds the variables that occur in an argument. What they are in a request decides the value, which is then
the same object for each of these requests. So the type of the input has to read it only once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from graphql import Node, ObjectValueNode, Undefined, ValueNode, VariableNode

from engine.argument_making import Make

MAX_BYTES = 4_000_000
"""How much memory the values of one engine may take, with what their types make of them."""

MAX_PARTS = 1_000
"""A value whose variables have more parts than this is made for each request."""

OVERHEAD, BYTES_OF_OBJECT, BYTES_OF_PART = 1_000, 2_500, 30
"""Bytes that a value takes, that each object in it takes with what is made of it, and each part of the variables."""

_PLAIN = frozenset([int, bool])


class SharedInput(dict[str, Any]):
    """Holds the value of an input. It is one object for many requests, so nobody changes it."""

    made: Any = None
    """What the type of the input has made of the value."""
    is_of_variable = False
    """Whether a variable has the value. Then it is one value in a request, wherever the variable stands."""


class SharedInputs:
    """Holds the values that were used last."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._known: OrderedDict[tuple[object, ...], tuple[int, SharedInput]] = OrderedDict()
        self.bytes = 0
        """The memory that all of them take."""
        self.made = 0
        """How many were made."""

    def __len__(self) -> int:
        return len(self._known)

    def sharing(self, node: ValueNode, make: Make, place: object) -> Make:
        """Return what makes the same value as ``make`` does of this node, and shares it.

        ``place`` identifies the node in its operation. The same variable has the same place wherever it stands, so
        that it has one value in a request.
        """
        names = tuple(sorted(variables_in(node)))
        objects, is_variable = _objects_in(node), isinstance(node, VariableNode)

        def make_or_share(variables: Mapping[str, Any]) -> Any:
            parts: list[object] = [place]
            try:
                for name in names:
                    _add_parts(variables.get(name, Undefined), parts)
            except _Unshared:
                return make(variables)
            key = tuple(parts)
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known[1]
            value = make(variables)
            if value.__class__ is not dict:
                return value
            shared = SharedInput(value)
            shared.is_of_variable = is_variable
            self._keep(key, shared, objects)
            return shared

        return make_or_share

    def _keep(self, key: tuple[object, ...], value: SharedInput, objects: int) -> None:
        self.made += 1
        text = sum([len(part) for part in key if isinstance(part, str)])
        objects += key.count(dict)
        size = OVERHEAD + BYTES_OF_OBJECT * objects + BYTES_OF_PART * len(key) + 8 * text
        if size * 8 > self._max_bytes:
            return
        self._known[key] = size, value
        self.bytes += size
        while self.bytes > self._max_bytes:
            self.bytes -= self._known.popitem(last=False)[1][0]


def variables_in(node: Node) -> set[str]:
    """Return the names of the variables in a value."""
    if isinstance(node, VariableNode):
        return {node.name.value}
    return set().union(*map(variables_in, _parts_of(node)))


class _Unshared(Exception):
    """Says that a value has too many parts, or some that are not compared exactly."""


def _add_parts(value: Any, parts: list[object]) -> None:
    """Add what only an equal value of the same type has. The class comes before what another class may equal."""
    class_ = value.__class__
    if value is None or class_ is str or value is Undefined:
        parts.append(value)
    elif class_ in _PLAIN:
        parts += class_, value
    elif class_ is dict:
        parts += dict, len(value)
        for name, inner in value.items():
            parts.append(name)
            _add_parts(inner, parts)
    elif class_ is list:
        parts += list, len(value)
        for inner in value:
            _add_parts(inner, parts)
    elif class_ is datetime:
        parts += datetime, value.isoformat()  # equal times can have other offsets
    elif isinstance(value, Enum):
        parts.append(value)
    else:
        raise _Unshared
    if len(parts) > MAX_PARTS:
        raise _Unshared


def _objects_in(node: Node) -> int:
    return isinstance(node, ObjectValueNode) + sum(map(_objects_in, _parts_of(node)))


def _parts_of(node: Any) -> list[Node]:
    return getattr(node, "values", None) or [field.value for field in getattr(node, "fields", None) or ()]
