"""Puts variables in the places of the literals of a document, at which documents of the same shape have other literals.

The name of such a variable is a number, which no variable of a document can have. The literals of each text are then
coerced to the types at their places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import msgspec
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_leaf_type,
)
from graphql.utilities.coerce_input_value import coerce_input_literal

from gateway.document_shapes import ShapedText

Coerce = Callable[[str], Any]
"""Coerces a literal to the type at its place. It raises any exception if the literal does not fit."""

_LITERALS: dict[type[ValueNode], tuple[Any, ...]] = {
    StringValueNode: (GraphQLString, GraphQLID),
    IntValueNode: (GraphQLID,),
}
"""The types for which the value of a literal is its text."""

_CONDITIONS = ("skip", "include")

LEAVES = 1_000
"""How many literals of other types are kept with their values, such as times: those used last."""


class LiteralPlace(msgspec.Struct, frozen=True, gc=False):
    """Describes one place of a literal."""

    name: str
    """The name of the variable there."""
    literal: int
    """The number of the literal in the shape."""
    coerce: Coerce


class ShapedDocument(msgspec.Struct, frozen=True):
    """Holds a document for all texts of one shape."""

    node: DocumentNode
    """The document with a variable at each place of a literal."""
    places: tuple[LiteralPlace, ...]

    def bound(self, literals: Sequence[str]) -> dict[str, Any] | None:
        """Return the values of the variables for these literals; ``None`` if one does not fit at its place."""
        try:
            return {place.name: place.coerce(literals[place.literal]) for place in self.places}
        except Exception:
            return None  # graphql-core then reads the whole text, and says what does not fit.


def shaped_document(document: DocumentNode, text: ShapedText, schema: GraphQLSchema) -> ShapedDocument | None:
    """Return a valid document for all texts of its shape; ``None`` if it is good for its own text alone.

    That is so if a literal is no argument of a field, or is inside a scalar that takes whole objects. It is also so if
    the engine does not run the document: it is no query, asks for the schema, or has directives beside ``@skip`` and
    ``@include``.
    """
    replacer = _LiteralReplacer(text.numbers, schema)
    try:
        node = replacer.document(document)
    except _NotForOthers:
        return None
    if replacer.found.keys() != text.numbers.keys():
        return None
    made = ShapedDocument(node, tuple(replacer.found.values()))
    return None if made.bound(text.literals) is None else made


class _NotForOthers(Exception):
    """The document is good for its own text alone."""


class _LiteralReplacer:
    """Goes through one document and puts a variable at each place of a literal."""

    def __init__(self, numbers: Mapping[int, int], schema: GraphQLSchema) -> None:
        self._numbers = numbers
        self._schema = schema
        self.found: dict[int, LiteralPlace] = {}
        """The places by where they are in the text."""

    def document(self, document: DocumentNode) -> DocumentNode:
        definitions = []
        for each in document.definitions:
            if isinstance(each, OperationDefinitionNode) and each.operation is OperationType.QUERY:
                type_: Any = self._schema.query_type
            elif isinstance(each, FragmentDefinitionNode):
                type_ = self._schema.get_type(each.type_condition.name.value)
            else:
                raise _NotForOthers
            _check(each.directives)
            definitions.append(replace(each, selection_set=self._selection_set(each.selection_set, type_)))
        return replace(document, definitions=tuple(definitions))

    def _selection_set(self, selected: SelectionSetNode, type_: GraphQLNamedType) -> SelectionSetNode:
        selections = tuple([self._selection(each, type_) for each in selected.selections])
        return replace(selected, selections=selections)

    def _selection(self, node: SelectionNode, type_: GraphQLNamedType) -> SelectionNode:
        _check(node.directives)
        if isinstance(node, FieldNode):
            return self._field(node, type_)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            inner = self._schema.get_type(condition.name.value) if condition else type_
            assert inner is not None
            return replace(node, selection_set=self._selection_set(node.selection_set, inner))
        assert isinstance(node, FragmentSpreadNode)
        return node

    def _field(self, node: FieldNode, type_: GraphQLNamedType) -> FieldNode:
        name = node.name.value
        if name.startswith("__"):
            if name != "__typename":
                raise _NotForOthers
            return node
        assert is_composite_type(type_)
        definition = self._schema.get_field(type_, name)
        assert definition is not None
        if node.arguments:
            arguments = [
                replace(each, value=self._value(each.value, definition.args[each.name.value].type))
                for each in node.arguments
            ]
            node = replace(node, arguments=tuple(arguments))
        if node.selection_set is not None:
            below = self._selection_set(node.selection_set, get_named_type(definition.type))
            node = replace(node, selection_set=below)
        return node

    def _value(self, node: ValueNode, type_: GraphQLInputType) -> ValueNode:
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(node, ListValueNode) and isinstance(inner, GraphQLList):
            return replace(node, values=tuple([self._value(item, inner.of_type) for item in node.values]))
        if isinstance(node, ObjectValueNode) and isinstance(inner, GraphQLInputObjectType):
            fields = [
                replace(each, value=self._value(each.value, inner.fields[each.name.value].type))
                for each in node.fields
            ]
            return replace(node, fields=tuple(fields))
        assert node.loc is not None
        number = self._numbers.get(node.loc.start)
        if number is None or not isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
            return node
        place = LiteralPlace(str(len(self.found)), number, _coercer(type(node), type_))
        self.found[node.loc.start] = place
        return VariableNode(name=NameNode(value=place.name), loc=node.loc)


def _check(directives: Sequence[DirectiveNode] | None) -> None:
    if any(each.name.value not in _CONDITIONS for each in directives or ()):
        raise _NotForOthers


def _coercer(
    node_class: type[StringValueNode | IntValueNode | FloatValueNode], type_: GraphQLInputType
) -> Coerce:
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if inner in _LITERALS.get(node_class, ()):
        return _as_written
    if inner is GraphQLInt and node_class is IntValueNode:
        return _int
    if inner is GraphQLFloat and node_class is not StringValueNode:
        return float

    if is_leaf_type(inner):
        return partial(_leaf, node_class, type_)
    return partial(_coerced, node_class, type_)


def _coerced(node_class: type[Any], type_: GraphQLInputType, text: str) -> Any:
    value = coerce_input_literal(node_class(value=text), type_)
    if value is Undefined:
        raise ValueError
    return value


# To coerce a time takes 14 microseconds, and the same ones come again. Nobody can change such a value, unlike a list.
_leaf: Callable[[Any, Any, str], Any] = lru_cache(LEAVES)(_coerced)


def _as_written(text: str) -> str:
    return text


def _int(text: str) -> int:
    value = int(text)
    if not -2147483648 <= value <= 2147483647:
        raise ValueError
    return value
