"""Builds the signatures of plan nodes, for the compiler."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from graphql import GraphQLObjectType

from engine.field_sources import Called, Related
from engine.selection_signatures import Arguments, Field, RelationBelow, SelectionSignature

if TYPE_CHECKING:
    from engine.plan_nodes import Column

MIN_VALUES = 8
"""An answer of fewer values, all of them attributes, is not cached: it is made nearly as fast as it is found."""


class SignatureBuilder:
    """Collects what makes the signature of a plan node, field by field in the order of the answer."""

    def __init__(self, type_: GraphQLObjectType) -> None:
        self._type = type_
        self._fields: list[Field] = []
        self._relations: list[RelationBelow] = []
        self._values: list[tuple[int, SelectionSignature]] = []
        self._calls = 0
        self._is_cacheable = True
        self._is_of_records = True

    def add(self, key: str, name: str, arguments: Arguments | None) -> None:
        """Add a field of the object itself; one that is not cacheable has no ``arguments``."""
        if arguments is None:
            self._is_cacheable = False
        else:
            self._fields.append((key, name, arguments, None))

    def add_column(self, name: str, arguments: Arguments | None, number: int, column: Column) -> None:
        """Add a field with a column, which has this number."""
        if isinstance(column.source, Called):
            self._calls += column.source.steps
        if column.selection is None:
            self.add(column.key, name, arguments)
            return
        nodes = list(column.selection.node_of.values())
        below = nodes[0].signature if len(nodes) == 1 else None
        if arguments is None or below is None:
            self._is_cacheable = False
            return
        self._fields.append((column.key, name, arguments, below))
        self._is_of_records = self._is_of_records and below.is_of_records
        if isinstance(column.source, Related):
            named = attrgetter(column.source.attribute)
            self._relations.append(RelationBelow(number, named, column.source.is_to_one, below))
        elif column.selection.shape.item is None and below.is_flat:
            self._values.append((number, below))
        else:
            self._is_of_records = False

    def signature(self, steps: int, weight: int) -> SelectionSignature | None:
        """Return the signature, or ``None`` if there is none.

        ``steps`` are those of an object without its calls, ``weight`` is about how many values its answer has.
        """
        if not self._is_cacheable:
            return None
        same = self._type, tuple(self._fields)
        signature = _SIGNATURES.get(same)
        if signature is None:
            is_cached = (
                not self._is_of_records
                or weight >= MIN_VALUES
                or self._calls > 0
                or any(not each.is_to_one or each.signature.is_cached for each in self._relations)
            )
            below = tuple(self._relations), tuple(self._values)
            signature = _SIGNATURES[same] = SelectionSignature(
                *same, is_cached, steps + self._calls, *below, self._is_of_records
            )
        return signature


_SIGNATURES: WeakValueDictionary[tuple[GraphQLObjectType, tuple[Field, ...]], SelectionSignature] = (
    WeakValueDictionary()
)
