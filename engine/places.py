"""The parts of a plan: places, and the selections that lead from one to others.

A place is an object type with everything that is asked of it at one point of an operation, fragments merged. All
objects that stand there are answered together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from graphql import GraphQLNamedOutputType, GraphQLObjectType, Undefined, is_list_type, is_non_null_type

from engine.fields import Request, Source, Values
from engine.handover import HandOver
from engine.leaves import reject_abnormal
from engine.runtime_types import RuntimeTypes
from resolvers.relation import ByKey

_LISTS = frozenset([list, tuple])
_NULLS = frozenset([type(None), type(Undefined)])


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """``build`` makes the answers for objects, given the values of the columns."""

    type: GraphQLObjectType
    columns: tuple[Column, ...]
    build: Callable[..., list[Any]]
    source: str
    """Of ``build``."""
    keys: tuple[str, ...]
    """Of an answer, in the order of the arguments of ``Answer``."""


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

    def objects(self, values: Values, request: Request) -> Objects:
        """The objects in the values of a column."""
        shape = self.shape
        if isinstance(values, ByKey):
            assert shape.item is None, "a relation to one is no list in the schema"
            distinct = values.found
            flat = list(distinct.values())
            return Objects(values.keys, distinct, self.types.split(flat, set(map(type, flat)), request))
        flat = values
        while shape.item is not None:
            flat = _flat(flat, shape)
            shape = shape.item
        classes = set(map(type, flat))
        ids = list(map(id, flat))
        if _NULLS.isdisjoint(classes) and len(set(ids)) == len(ids):
            return Objects(ids, None, self.types.split(flat, classes, request) if flat else [])
        distinct = dict(zip(ids, flat, strict=True))
        if not _NULLS.isdisjoint(classes):
            if not shape.nullable:
                raise HandOver("null")
            classes -= _NULLS
            for null in (None, Undefined):
                distinct.pop(id(null), None)
        parts = self.types.split(list(distinct.values()), classes, request) if distinct else []
        return Objects(ids, distinct, parts)

    def assemble(self, values: Values, objects: Objects, built: Sequence[list[Any]]) -> list[Any]:
        """The values with each object replaced by its answer. ``built`` has those of each part."""
        distinct = objects.distinct
        if distinct is None and len(built) == 1:
            answers = built[0]
        else:
            if distinct is not None and len(built) == 1:
                by_key = dict(zip(distinct, built[0], strict=True))
            else:
                by_key = {}
                for (_, part), theirs in zip(objects.parts, built, strict=True):
                    by_key.update(zip(map(id, part), theirs, strict=True))
                if isinstance(values, ByKey):
                    by_key = {key: by_key[id(each)] for key, each in values.found.items()}
            if isinstance(values, ByKey):
                return list(map(by_key.__getitem__, objects.keys))
            by_key[id(None)] = by_key[id(Undefined)] = None
            answers = list(map(by_key.__getitem__, objects.keys))
        assert not isinstance(values, ByKey)
        if self.shape.item is None:
            return answers
        return _nested(values, self.shape, iter(answers))


@dataclass(slots=True, eq=False)
class Objects:
    """The objects in the values of a column. What stands there several times is answered once."""

    keys: list[int]
    """Of all objects and nulls, in order: their ids in Python, or what a relation knows them by."""
    distinct: dict[int, Any] | None
    """The different objects by their keys. None if there is no null, and nothing twice."""
    parts: list[tuple[GraphQLObjectType, list[Any]]]
    """The different objects by their types, in the order in which they first came."""


def _flat(values: Sequence[Any], shape: Shape) -> list[Any]:
    if not _LISTS.issuperset(map(type, values)):
        for value in values:
            if value is None or value is Undefined:
                if not shape.nullable:
                    raise HandOver("null")
            elif value.__class__ is not list and value.__class__ is not tuple:
                reject_abnormal(value)
                raise HandOver("value")
        values = [value for value in values if value is not None and value is not Undefined]
    return list(chain.from_iterable(values))


def _nested(values: Sequence[Any], shape: Shape, answers: Iterator[Any]) -> list[Any]:
    """The answers in lists as the values are."""
    assert shape.item is not None
    innermost = shape.item.item is None
    return [
        None
        if value is None or value is Undefined
        else list(islice(answers, len(value)))
        if innermost
        else _nested(value, shape.item, answers)
        for value in values
    ]
