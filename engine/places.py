"""The parts of a plan: places, and the selections that lead from one to others.

A place is an object type with everything that is asked of it at one point of an operation, fragments merged. All
objects that stand there are answered together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from graphql import GraphQLNamedOutputType, GraphQLObjectType, Undefined, is_list_type, is_non_null_type

from engine.fields import Request, Source, Values
from engine.handover import HandOver
from engine.leaves import reject_abnormal
from engine.runtime_types import RuntimeTypes
from resolvers.relation import ListsByKey, ToMany, ToOne

_LISTS = frozenset([list, tuple])
_NULLS = frozenset([type(None), type(Undefined)])


@dataclass(slots=True, eq=False)
class Place:
    """``build`` makes the answers for objects, given the values of the columns."""

    type: GraphQLObjectType
    columns: tuple[Column, ...]
    selections: tuple[tuple[int, Selection], ...]
    """Of those columns that have one, with their numbers."""
    relations: tuple[tuple[ToOne[Any] | ToMany[Any], Selection], ...] | None
    """The relations behind its columns, if there are no other columns, nor any below."""
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
    def of(cls, type_: Any) -> tuple[Shape, GraphQLNamedOutputType]:
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
    key: str | None
    """Of a relation to one, where an object has the key that ``build`` finds its answer by."""
    types: RuntimeTypes
    compile_place: Callable[[GraphQLObjectType], Place]
    _places: dict[str, Place] = field(default_factory=dict)
    _place_of_class: dict[type, Place] = field(default_factory=dict)

    def place(self, type_: GraphQLObjectType) -> Place:
        """What is asked of objects of this type, compiled when the first of them comes."""
        place = self._places.get(type_.name)
        if place is None:
            place = self._places[type_.name] = self.compile_place(type_)
        return place

    def parts(self, values: Values, request: Request) -> Parts:
        """The objects in the values of a column."""
        if not isinstance(values, list):
            found = list((values if isinstance(values, dict) else values.found).values())
            return None, [Part(self.place_of_records(found, request), found)] if found else []
        shape, flat = self.shape, values
        while shape.item is not None:
            flat = _flat(flat, shape)
            shape = shape.item
        classes = set(map(type, flat))
        if len(flat) == 1 and _NULLS.isdisjoint(classes):
            return None, self._split(flat, classes, request)
        ids = list(map(id, flat))
        distinct = dict(zip(ids, flat, strict=True))
        if not _NULLS.isdisjoint(classes):
            if not shape.nullable:
                raise HandOver("null")
            classes -= _NULLS
            for null in (None, Undefined):
                distinct.pop(id(null), None)
        parts = self._split(list(distinct.values()), classes, request) if distinct else []
        return None if len(parts) == 1 and len(distinct) == len(flat) else ids, parts

    def place_of_records(self, records: list[Any], request: Request) -> Place:
        """What is asked of records that a relation found: they are all of one class, which says their type."""
        class_ = records[0].__class__
        place = self._place_of_class.get(class_)
        if place is None:
            (part,) = self._split(records, {class_}, request)
            place = part.place
        return place

    def _split(self, objects: list[Any], classes: set[type], request: Request) -> list[Part]:
        """The objects, which are of these classes, by their types."""
        if len(classes) == 1:
            (class_,) = classes
            place = self._place_of_class.get(class_)
            if place is not None:
                return [Part(place, objects)]
        by_type = self.types.split(objects, request)
        if len(classes) == 1 and class_ in self.types.of_class:
            self._place_of_class[class_] = self.place(by_type[0][0])
        return [Part(self.place(type_), theirs) for type_, theirs in by_type]

    def assemble(self, objects: list[Any], values: Values, parts: Parts) -> list[Any] | dict[int, Any]:
        """The values with each object replaced by its answer, as ``build`` takes them. The parts are built."""
        ids, built = parts
        if not isinstance(values, list):
            return by_key(values, built[0].built if built else [])
        if ids is None:
            answers = built[0].built
        else:
            by_id: dict[int, Any] = {id(None): None, id(Undefined): None}
            for part in built:
                by_id.update(zip(map(id, part.objects), part.built, strict=True))
            answers = list(map(by_id.__getitem__, ids))
        if self.key is not None:
            return dict(zip(map(attrgetter(self.key), objects), answers, strict=True))
        return answers if self.shape.item is None else _nested(values, self.shape, iter(answers))


class Part(msgspec.Struct, eq=False):
    """The objects that stand at one place in one run, each once, and with them what is found out about them."""

    place: Place
    objects: list[Any]
    columns: list[Any] = []
    """The values of each column; of those with a selection in the end the answers."""
    below: list[Parts] = []
    """The objects in the columns with a selection."""
    built: list[Any] = []
    """The answers for the objects."""


Parts: TypeAlias = tuple[list[int] | None, list[Part]]
"""The objects in the values of a column: what Python knows them by, all of them and nulls in order, and the different
ones by their types. Without the former, values are by key, or the one part has just these objects."""


def by_key(values: dict[int, Any] | ListsByKey[Any], built: Sequence[Any]) -> list[Any] | dict[int, Any]:
    """What a relation found with each record replaced by its answer. ``built`` has those in the order found."""
    if isinstance(values, dict):
        return dict(zip(values, built, strict=True))
    if len(values.keys) == 1 and values.count == len(built):
        return [built]
    if values.count == len(built):  # nothing is shared
        answers = iter(built)
        return [list(islice(answers, len(keys))) for keys in values.keys]
    answer_of = dict(zip(values.found, built, strict=True))
    return [list(map(answer_of.__getitem__, keys)) for keys in values.keys]


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
