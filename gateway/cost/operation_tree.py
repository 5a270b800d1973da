"""Makes the tree of an operation. Its places are fields with objects, and lists of leaves.

A field that is selected twice at one point is two places. A field in a fragment is one place for each spread of it.
``@skip`` and ``@include`` are ignored, so every field that an operation may select counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from engine import DependsOn, of_field
from gateway.cost.asked_lengths import AskedLength, asked_length
from schema import FIELD_WEIGHTS, FILTER_WEIGHT, INTROSPECTION_WEIGHTS, ListLength, list_length, schema

RECORDS = ("Package", "Grid", "Category", "Contributor")
"""The types whose objects are records."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """Describes a leaf: its type above, its name, its own type, and the bytes of its key in the answer."""

    field: tuple[str, str]
    type: str
    key: int


class Place(msgspec.Struct, gc=False):
    """Describes what an operation selects of the objects of one field, or a list of leaves."""

    above: int
    """The number of the place above it, which comes earlier. The root is its own."""
    field: tuple[str, str]
    """The type above and the name of the field."""
    key: int = 0
    """The bytes of its key in the answer."""
    asked: int | AskedLength | None = None
    """How many items its arguments ask for; ``None`` if they do not say."""
    is_list: bool = False
    """Whether it is a list without an argument that says how long it is."""
    is_nested: bool = False
    """Whether the objects above it come from such a list too, so that the longest lists are reached more often."""
    weight: int = 0
    """The units of the field each time that it is answered."""
    record: str | None = None
    """The type of its records; ``None`` if its objects are no records."""
    asks_upstream: bool = False
    """Whether the field asks Django Packages for what the catalog does not have."""
    items: Leaf | None = None
    """The items, if it is a list of leaves."""
    leaves: list[Leaf] = []
    """The leaves of each object."""


def places_of(operation: OperationDefinitionNode, document: DocumentNode) -> list[Place]:
    """Return the places of an operation of a valid document, each after the one above it."""
    root: Any = schema._schema.get_root_type(operation.operation)
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    places = [Place(0, ("", operation.operation.value))]
    # A list replaces recursion, because inline fragments can be nested more deeply than Python's calls.
    waiting = [_Selected(operation.selection_set, root, 0, {})]
    while waiting:
        selected = waiting.pop()
        for node in selected.of.selections:
            if isinstance(node, FieldNode):
                below = _add(node, selected, places)
                if below is not None:
                    waiting.append(below)
            elif isinstance(node, FragmentSpreadNode):
                waiting.append(selected.inside(fragments[node.name.value]))
            elif isinstance(node, InlineFragmentNode):
                waiting.append(selected.inside(node))
    return places


class _Selected(NamedTuple):
    """Describes a selection set that was not visited yet."""

    of: SelectionSetNode
    type: Any
    place: int
    sized: Mapping[str, int | AskedLength]
    """The lists whose lengths are set by an argument of the field above."""

    def inside(self, fragment: FragmentDefinitionNode | InlineFragmentNode) -> _Selected:
        condition = fragment.type_condition
        type_ = self.type if condition is None else schema._schema.type_map[condition.name.value]
        return self._replace(of=fragment.selection_set, type=type_)


def _add(node: FieldNode, selected: _Selected, places: list[Place]) -> _Selected | None:
    """Add the place of a field, or its leaf to the place above, and return what is below it."""
    name, key = node.name.value, len((node.alias or node.name).value)
    parent = places[selected.place]
    if name in INTROSPECTION_WEIGHTS:
        # The fields below are introspection, which does not depend on the catalog.
        places.append(
            Place(selected.place, (selected.type.name, name), key, weight=INTROSPECTION_WEIGHTS[name])
        )
        return None
    if name == "__typename":
        parent.leaves.append(Leaf((selected.type.name, name), "__typename", key))
        return None
    names = (selected.type.name, name)
    field = _field(names)
    type_, length = field.type, field.length
    leaf = Leaf(names, type_.name, key) if field.is_leaf else None
    if leaf is not None and not field.is_list:
        parent.leaves.append(leaf)
        return None
    asked = None if length is None else asked_length(node, length)
    sized = {} if length is None or asked is None else dict.fromkeys(length.sized, asked)
    weight = FIELD_WEIGHTS.get(names, 0)
    if any(argument.name.value == "filter" for argument in node.arguments or ()):
        weight += FILTER_WEIGHT
    place = Place(
        selected.place,
        names,
        key,
        asked=selected.sized.get(name) if sized or asked is None else asked,
        weight=weight,
        record=type_.name if type_.name in RECORDS else None,
        asks_upstream=field.asks_upstream,
        items=leaf,
    )
    place.is_list = field.is_list and place.asked is None
    place.is_nested = parent.is_list
    places.append(place)
    if node.selection_set is None:
        return None
    return _Selected(node.selection_set, type_, len(places) - 1, sized)


class _Field(NamedTuple):
    """Describes a field of the schema, as far as it is the same wherever it is selected."""

    type: Any
    is_list: bool
    is_leaf: bool
    length: ListLength | None
    asks_upstream: bool


@cache
def _field(names: tuple[str, str]) -> _Field:
    """Return the field of a type of the schema, which has a few hundred."""
    declared: Any = schema._schema.type_map[names[0]]
    field = declared.fields[names[1]]
    type_ = get_named_type(field.type)
    return _Field(
        type_,
        is_list_type(get_nullable_type(field.type)),
        is_leaf_type(type_),
        list_length(field),
        bool(of_field(field) & DependsOn.UPSTREAM),
    )
