"""Finds what the answer to an operation depends on, from what its selected fields declare.

A field declares it by ``metadata=depends_on(...)``, and so does a field of an input, for arguments that have it. A
field that has a resolver and declares nothing counts as if it depended on everything. ``@skip`` and ``@include`` are
ignored, so a field that an operation may select counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLSchema,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    get_named_type,
    type_from_ast,
    visit,
)
from graphql.language import Visitor
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from strawberry.types.field import StrawberryField

from engine import DependsOn, declared, of_field

NOTHING = DependsOn(0)

_BELOW = {
    kind: tuple(key for key in keys if key not in ("name", "alias", "type", "type_condition"))
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""The keys below nodes of each kind, except names and types, which declare nothing."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Holds what the answer to an operation depends on."""

    of_fields: DependsOn = NOTHING
    """The dependencies of its fields, and of the arguments in the document."""
    inputs: tuple[tuple[str, GraphQLInputObjectType], ...] = ()
    """The names and types of the variables whose values are inputs, whose fields count too."""

    def with_variables(self, variables: Mapping[str, Any] | None) -> DependsOn:
        """Return what the operation depends on with these values, in time that grows with their size."""
        if not variables or not self.inputs:
            return self.of_fields
        return reduce(
            or_, (_of_value(type_, variables.get(name)) for name, type_ in self.inputs), self.of_fields
        )


def read_dependencies(document: DocumentNode, schema: GraphQLSchema) -> tuple[Dependencies, ...]:
    """Return those of each operation in a valid document, in the order of the document."""
    parts: dict[str, _Part] = {}
    operations: list[tuple[OperationDefinitionNode, _Part]] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode | OperationDefinitionNode):
            part = _Part(schema)
            visitor = TypeInfoVisitor(part.types, part)
            visit(definition, visitor, _BELOW)
            # They remember their own methods, and would wait for the garbage collector.
            visitor.enter_leave_map.clear()
            part.enter_leave_map.clear()
            if isinstance(definition, FragmentDefinitionNode):
                parts[definition.name.value] = part
            else:
                operations.append((definition, part))
    return tuple(
        Dependencies(_with_fragments(part, parts), tuple(_inputs(definition, schema)))
        for definition, part in operations
    )


class _Part(Visitor):
    """Holds what an operation or a fragment declares by itself, and the fragments that it spreads."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.depends_on = NOTHING
        self.spreads: set[str] = set()
        self.types = TypeInfo(schema)
        self._schema = schema

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.depends_on |= of_field(self.types.get_field_def())
        parent = self.types.get_parent_type()
        if isinstance(parent, GraphQLInterfaceType):
            for type_ in self._schema.get_possible_types(parent):
                self.depends_on |= of_field(type_.fields.get(node.name.value))

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.spreads.add(node.name.value)

    def enter_object_field(self, node: ObjectFieldNode, _key: object, _parent: Node, *_: object) -> None:
        type_ = get_named_type(self.types.get_parent_input_type())
        if isinstance(type_, GraphQLInputObjectType):
            self.depends_on |= _of_input(type_.fields.get(node.name.value))


def _with_fragments(part: _Part, fragments: Mapping[str, _Part]) -> DependsOn:
    found, seen, waiting = NOTHING, set[str](), [part]
    while waiting:
        each = waiting.pop()
        found |= each.depends_on
        new = each.spreads - seen
        seen |= new
        waiting += [fragments[name] for name in new]
    return found


def _inputs(
    operation: OperationDefinitionNode, schema: GraphQLSchema
) -> Iterable[tuple[str, GraphQLInputObjectType]]:
    for definition in operation.variable_definitions or ():
        type_ = get_named_type(type_from_ast(schema, definition.type))
        if isinstance(type_, GraphQLInputObjectType):
            yield definition.variable.name.value, type_


def _of_value(type_: GraphQLInputObjectType, value: object) -> DependsOn:
    """Return what the fields in a variable's value declare. A value of another type does not run."""
    found, waiting = NOTHING, [(type_, value)]
    while waiting:
        of, each = waiting.pop()
        if isinstance(each, list):
            waiting += [(of, one) for one in each]
        elif isinstance(each, dict):
            for name, inner in each.items():
                field = of.fields.get(name)
                found |= _of_input(field)
                inner_type = get_named_type(field.type) if field is not None else None
                if isinstance(inner_type, GraphQLInputObjectType):
                    waiting.append((inner_type, inner))
    return found


def _of_input(definition: GraphQLInputField | None) -> DependsOn:
    field = (definition.extensions or {}).get("strawberry-definition") if definition is not None else None
    return (declared(field) if isinstance(field, StrawberryField) else None) or NOTHING
