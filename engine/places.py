"""The parts of a plan: places, and the selections that lead from one to others.

A place is an object type with everything that is asked of it at one point of an operation, fragments merged. All
objects that stand there are answered together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from graphql import GraphQLNamedOutputType, GraphQLObjectType, Undefined, is_list_type, is_non_null_type

from engine.fields import Request, Source
from engine.handover import HandOver
from engine.leaves import reject_abnormal
from engine.runtime_types import RuntimeTypes

_LISTS = frozenset([list, tuple])
_NULLS = (id(None), id(Undefined))


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """``build`` makes the answers for objects, given the values of the columns."""

    type: GraphQLObjectType
    columns: tuple[Column, ...]
    build: Callable[..., list[Any]]
    source: str
    """Of ``build``."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A field whose values are there before ``build``. ``selection`` is None for a leaf."""

    key: str
    source: Source
    selection: Selection | None


@dataclass(frozen=True, slots=True)
class Shape:
    """How values nest: ``item`` is None for an object, else the shape of a list's items."""

    nullable: bool
    item: Shape | None

    @classmethod
    def of(cls, type_: Any) -> tuple[Shape, GraphQLNamedOutputType]:  # noqa: ANN401 - any output type
        """The shape of a field's type, and the named type inside."""
        nullable = not is_non_null_type(type_)
        inner = type_ if nullable else type_.of_type
        if not is_list_type(inner):
            return cls(nullable, None), inner
        item, named = cls.of(inner.of_type)
        return cls(nullable, item), named


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is asked of the objects of a field."""

    shape: Shape
    types: RuntimeTypes
    compile_place: Callable[[GraphQLObjectType], Place]
    _places: dict[str, Place] = field(default_factory=dict)

    def place(self, type_: GraphQLObjectType) -> Place:
        """What is asked of objects of this type, compiled when the first of them comes."""
        place = self._places.get(type_.name)
        if place is None:
            place = self._places[type_.name] = self.compile_place(type_)
        return place

    def objects(
        self, values: Sequence[Any], request: Request
    ) -> Iterable[tuple[GraphQLObjectType, list[Any]]]:
        """The different objects in the values of a column, by their type."""
        found: dict[int, Any] = {}
        _collect(values, self.shape, found)
        return self.types.split(list(found.values()), request) if found else ()

    def assemble(self, values: Sequence[Any], built: dict[int, Any]) -> list[Any]:
        """The values with each object replaced by its answer."""
        for null in _NULLS:
            built[null] = None
        return _assembled(values, self.shape, built)


def _collect(values: Sequence[Any], shape: Shape, found: dict[int, Any]) -> None:
    if shape.item is None:
        found.update(zip(map(id, values), values, strict=True))
        nulls = [found.pop(null, _NULLS) for null in _NULLS]
        if not shape.nullable and nulls != [_NULLS, _NULLS]:
            raise HandOver("null")
        return
    if not _LISTS.issuperset(map(type, values)):
        for value in values:
            if value is None or value is Undefined:
                if not shape.nullable:
                    raise HandOver("null")
            elif value.__class__ is not list and value.__class__ is not tuple:
                reject_abnormal(value)
                raise HandOver("value")
        values = [value for value in values if value is not None and value is not Undefined]
    _collect(list(chain.from_iterable(values)), shape.item, found)


def _assembled(values: Sequence[Any], shape: Shape, built: dict[int, Any]) -> list[Any]:
    if shape.item is None:
        return list(map(built.__getitem__, map(id, values)))
    return [
        None if value is None or value is Undefined else _assembled(value, shape.item, built)
        for value in values
    ]
