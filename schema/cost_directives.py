"""Writes what fields cost, and how long their lists are, into the SDL: the directives ``@cost`` and ``@listSize``.

They are those of the draft "GraphQL Cost Directives" (https://ibm.github.io/graphql-specs/cost-spec.html). Apollo
Federation has directives of these names since 2.9, with an integer as weight; a subgraph has to link them. So only the
dialects for clients have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    get_nullable_type,
    is_list_type,
)

from resolvers.lists import OTHER_SIZE, USUAL_SIZES
from resolvers.loading import MAX_KEYS
from schema.field_costs import (
    ASKS_ALWAYS,
    FIELD_WEIGHTS,
    FILTER_WEIGHT,
    UPSTREAM_REQUEST,
    list_length,
    sized_fields,
)
from schema.sdl_parts import Constant, headed, with_directive

_DEFINITIONS = '''
"""The cost of a field beyond its objects, each time that it is answered; or that of an argument."""
directive @cost(
  """A number of units. An object costs one unit, and so does the operation."""
  weight: String!
) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR

"""How long a list is, for the cost of an operation."""
directive @listSize(
  """The number of items if no argument gives it: the default page size, the most keys, or the average length."""
  assumedSize: Int
  """The arguments that are a number of items."""
  slicingArguments: [String!]
  """The lists in the object that the field returns. They have this length, and not the field itself."""
  sizedFields: [String!]
  """Whether exactly one of the slicing arguments has to be given."""
  requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION
'''


def with_costs(document: DocumentNode, schema: GraphQLSchema) -> DocumentNode:
    """Return a document with the directives on the fields of ``schema`` that it defines."""

    def of_type(type_: DefinitionNode) -> DefinitionNode:
        if not isinstance(type_, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            return type_
        declared = schema.type_map[type_.name.value]
        assert isinstance(declared, GraphQLObjectType | GraphQLInterfaceType)
        return replace(type_, fields=tuple(_of_field(each, declared) for each in type_.fields or ()))

    return headed(_DEFINITIONS, DocumentNode(definitions=tuple(map(of_type, document.definitions))))


def _of_field(
    node: FieldDefinitionNode, type_: GraphQLObjectType | GraphQLInterfaceType
) -> FieldDefinitionNode:
    names = type_.name, node.name.value
    weight = FIELD_WEIGHTS.get(names, 0) + (UPSTREAM_REQUEST if names in ASKS_ALWAYS else 0)
    if weight:
        node = with_directive(node, "cost", weight=str(weight))
    size = dict(_list_size(type_, names, type_.fields[node.name.value]))
    if size:
        node = with_directive(node, "listSize", **size)
    arguments = tuple(
        with_directive(each, "cost", weight=str(FILTER_WEIGHT)) if each.name.value == "filter" else each
        for each in node.arguments or ()
    )
    return replace(node, arguments=arguments)


def _list_size(
    type_: GraphQLObjectType | GraphQLInterfaceType, names: tuple[str, str], field: GraphQLField
) -> Iterator[tuple[str, Constant]]:
    length = list_length(field)
    if length is None:
        if is_list_type(get_nullable_type(field.type)) and names[1] not in sized_fields(type_):
            yield "assumedSize", ceil(USUAL_SIZES.get(names, OTHER_SIZE).mean)
        return
    if length.keys is not None:
        yield "assumedSize", MAX_KEYS
        return
    yield "assumedSize", length.default
    yield "slicingArguments", length.slicing
    if length.sized:
        yield "sizedFields", length.sized
    yield "requireOneSlicingArgument", False
