"""Defines the parts of a plan: plan nodes, and the selections that lead from one to others.

A plan node is an object type with everything that is asked of it at one point of an operation, fragments merged. All
objects at that point are answered together. A plan is compiled completely before it runs, and never changes; what a
run finds out is in its parts.

The garbage collector does not look at the objects of a plan (``gc=False``), because thousands are cached and none is
in a cycle: each leads only to what is below it in the operation, and to the schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Any

import msgspec
from graphql import (
    FieldNode,
    GraphQLNamedOutputType,
    GraphQLObjectType,
    Undefined,
    is_list_type,
    is_non_null_type,
)

from engine.code_generation import Build
from engine.fallback_reasons import Fallback
from engine.field_failures import Failed
from engine.field_sources import FieldSource
from engine.leaf_values import reject_abnormal
from engine.relation_protocols import ListsByKey, Relation
from engine.run_state import InfoFor, PlanRun, Values
from engine.selection_signatures import SelectionSignature

COUNTED = 3000
"""The most names that are counted, because counting more would take as long as it saves."""

_LISTS = frozenset([list, tuple])
_NULLS = frozenset([type(None), type(Undefined)])


class Plan(msgspec.Struct, frozen=True, gc=False):
    """Says how one operation runs for given values of the variables in its conditions."""

    root: PlanNode
    fields: int
    """The number of fields in all its plan nodes, which tells how much memory it takes."""


class PlanNode(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Describes what is asked of objects of one type at one point. ``build`` makes the answers for objects, given
    the values of the columns."""

    type: GraphQLObjectType
    columns: tuple[Column, ...]
    selections: tuple[tuple[int, Selection], ...]
    """The selections of those columns that have one, with their numbers."""
    relations: tuple[tuple[Relation, Selection], ...] | None
    """The relations behind its columns, if neither it nor any plan node below has other columns."""
    build: Build
    keys: tuple[str, ...]
    """The keys of an answer, in the order of the arguments of ``Answer``."""
    weight: int
    """The approximate number of values in an answer, without those of the objects below."""
    signature: SelectionSignature | None
    """What the node says of a record, if that is the same for as long as the catalog stays."""
    steps: int
    """Steps of work for one object."""


class Column(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Describes a field whose values are ready before ``build``. ``selection`` is None for a leaf."""

    key: str
    source: FieldSource
    selection: Selection | None


class Shape(msgspec.Struct, frozen=True, gc=False):
    """Says how values nest: ``item`` is None for an object, else the shape of a list's items."""

    nullable: bool
    item: Shape | None

    @classmethod
    def of(cls, type_: Any) -> tuple[Shape, GraphQLNamedOutputType]:
        """Return the shape of a field's type, and the named type inside."""
        nullable = not is_non_null_type(type_)
        inner = type_ if nullable else type_.of_type
        if not is_list_type(inner):
            return cls(nullable, None), inner
        item, named = cls.of(inner.of_type)
        return cls(nullable, item), named


class Selection(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Says what is asked of the objects of a field."""

    shape: Shape
    key: str | None
    """The key of a relation to one, where an object has the key that ``build`` finds its answer by."""
    declared: GraphQLNamedOutputType
    """The named type inside the field's."""
    node_of: Mapping[GraphQLObjectType, PlanNode]
    """What is asked of objects, by each type that they can have."""
    info_for: InfoFor
    """Makes the field's ``info``."""
    nodes: Sequence[FieldNode]
    """The return type of the field."""

    def parts(self, values: Values, parent: Part, run: PlanRun) -> Below:
        """Return the objects in the values of a column of ``parent``."""
        if not isinstance(values, list):
            found = list((values if isinstance(values, dict) else values.found).values())
            if not found:
                return Below(None, [])
            run.work += len(found)
            node = self.node_of_records(found, run)
            return Below(None, [Part(node, found, *standing(node, values, len(parent.objects), parent.most))])
        shape, flat = self.shape, values
        while shape.item is not None:
            flat = _flat(flat, shape)
            shape = shape.item
        classes = set(map(type, flat))
        if len(flat) == 1 and _NULLS.isdisjoint(classes) and not isinstance(flat[0], Exception):
            return Below(None, self._split(flat, classes, parent.most, parent.most, run))
        failed = [class_ for class_ in classes if issubclass(class_, Exception)]
        run.work += len(flat)
        ids = list(map(id, flat))
        distinct = dict(zip(ids, flat, strict=True))
        marks: dict[int, Failed] = {}
        if failed or not _NULLS.isdisjoint(classes):
            if not shape.nullable:
                raise Fallback("error" if failed else "null")
            classes -= _NULLS
            classes.difference_update(failed)
            marks = {
                known: Failed(value, self.nodes)
                for known, value in distinct.items()
                if isinstance(value, Exception)
            }
            for null in (id(None), id(Undefined), *marks):
                distinct.pop(null, None)
        most = parent.most * _repeated(len(flat), len(distinct), ids)
        objects = list(distinct.values())
        parts = self._split(objects, classes, most, parent.most * len(flat), run) if distinct else []
        return Below(None if len(parts) == 1 and len(distinct) == len(flat) else ids, parts, marks)

    def node_of_records(self, records: list[Any], run: PlanRun) -> PlanNode:
        """Return what is asked of records that a relation found. They are all of one class, which determines their
        type."""
        type_ = run.types.of_class(self.declared, records[0].__class__)
        if type_ is None:
            ((type_, _),) = run.types.split(self.declared, records, self.info_for(run))
        return self.node_of[type_]

    def _split(
        self, objects: list[Any], classes: set[type], most: int, total: int, run: PlanRun
    ) -> list[Part]:
        """Return the objects by their types. ``classes`` are all that they have."""
        if len(classes) == 1:
            (class_,) = classes
            type_ = run.types.of_class(self.declared, class_)
            if type_ is not None:
                return [Part(self.node_of[type_], objects, most, total)]
        by_type = run.types.split(self.declared, objects, self.info_for(run))
        return [Part(self.node_of[type_], theirs, most, total) for type_, theirs in by_type]

    def assemble(self, objects: list[Any], values: Values, below: Below) -> list[Any] | dict[int, Any]:
        """Return the values with each object replaced by its answer, as ``build`` takes them. The parts are built
        before."""
        ids, built = below.ids, below.parts
        if not isinstance(values, list):
            return by_key(values, built[0].built if built else [])
        if ids is None:
            answers = built[0].built
        else:
            by_id: dict[int, Any] = {id(None): None, id(Undefined): None, **below.marks}
            for part in built:
                by_id.update(zip(map(id, part.objects), part.built, strict=True))
            answers = list(map(by_id.__getitem__, ids))
        if self.key is not None:
            return dict(zip(map(attrgetter(self.key), objects), answers, strict=True))
        return answers if self.shape.item is None else self._nested(values, self.shape, iter(answers))

    def _nested(self, values: Sequence[Any], shape: Shape, answers: Iterator[Any]) -> list[Any]:
        """Return the answers in lists that nest as the values do."""
        assert shape.item is not None
        innermost = shape.item.item is None
        nested: list[Any] = []
        for value in values:
            if value is None or value is Undefined:
                nested.append(None)
            elif isinstance(value, Exception):
                nested.append(Failed(value, self.nodes))
            elif innermost:
                nested.append(list(islice(answers, len(value))))
            else:
                nested.append(self._nested(value, shape.item, answers))
        return nested


class Part(msgspec.Struct, eq=False):
    """Holds the objects at one plan node in one run, each once, with what is found out about them."""

    node: PlanNode
    objects: list[Any]
    most: int
    """An upper bound, quick to compute, for how often one of the objects occurs there."""
    total: int
    """An upper bound for how often all of them together occur."""
    columns: list[Any] = []
    """The values of each column. For columns with a selection, these become the answers in the end."""
    below: list[Below] = []
    """The objects in the columns with a selection."""
    built: list[Any] = []
    """The answers for the objects."""
    is_encoded: bool = False
    """Whether the answers are JSON already."""
    is_whole: bool = False
    """Whether the catalog knew all below, so that the answers can be cached."""
    counts: tuple[int, int] | None = None
    """The steps of work and the records that relations found, below too, if they were counted apart."""


class Below(msgspec.Struct, eq=False):
    """Holds the objects in the values of a column."""

    ids: list[int] | None
    """The ``id()`` of each value in order, nulls and errors included.

    None if values are found by key, or if the one part has exactly these objects.
    """
    parts: list[Part]
    """The distinct objects by their types."""
    marks: dict[int, Failed] = {}
    """The marks that replace errors, by the identities (``id``) of the errors."""


def standing(
    node: PlanNode, values: dict[int, Any] | ListsByKey[Any], parents: int, most: int
) -> tuple[int, int]:
    """Return upper bounds for how often one record of a relation occurs in the answer, and for all of them together.

    Each of the ``parents`` occurs up to ``most`` times. The first bound is computed only if it matters for ``node``.
    """
    if isinstance(values, dict):
        return most * parents, most * parents
    total = most * values.count
    if not node.selections:
        return total, total
    return most * _repeated(values.count, len(values.found), chain.from_iterable(values.keys)), total


def _repeated(count: int, distinct: int, names: Iterable[int]) -> int:
    """Return how often one of ``count`` names occurs at most, if ``distinct`` of them are different."""
    if count == distinct:
        return 1
    return max(Counter(names).values()) if count <= COUNTED else count


def by_key(values: dict[int, Any] | ListsByKey[Any], built: Sequence[Any]) -> list[Any] | dict[int, Any]:
    """Return what a relation found, with each record replaced by its answer. ``built`` has the answers in the same
    order."""
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
                    raise Fallback("null")
            elif isinstance(value, Exception):
                if not shape.nullable:
                    raise Fallback("error")
            elif value.__class__ is not list and value.__class__ is not tuple:
                reject_abnormal(value)
                raise Fallback("value")
        values = [value for value in values if value.__class__ in _LISTS]
    return list(chain.from_iterable(values))
