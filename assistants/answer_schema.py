"""Makes the JSON Schema of the answers to an operation, from the operation and the graph."""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
)

from schema import schema

_SCALARS = {"Int": "integer", "Float": "number", "Boolean": "boolean"}
"""The types of JSON; all other scalars but JSON are strings."""


def answer_schema(document: str) -> dict[str, Any]:
    """Return the JSON Schema of ``data``. The document has one query without fragments."""
    (operation,) = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    query = schema._schema.query_type
    assert query is not None
    return _object(query, operation.selection_set)


def _object(type: GraphQLObjectType, selections: SelectionSetNode) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for node in selections.selections:
        assert isinstance(node, FieldNode)
        field = type.fields[node.name.value]
        name = node.alias.value if node.alias else node.name.value
        described = _type(field.type, node.selection_set)
        properties[name] = described | ({"description": field.description} if field.description else {})
    return {"type": "object", "properties": properties, "required": list(properties)}


def _type(type: GraphQLOutputType, selections: SelectionSetNode | None) -> dict[str, Any]:
    if isinstance(type, GraphQLNonNull):
        return _present(type.of_type, selections)
    present = _present(type, selections)
    if "type" not in present:
        return present
    if "enum" in present:
        present["enum"] = [*present["enum"], None]
    return present | {"type": [present["type"], "null"]}


def _present(type: GraphQLOutputType, selections: SelectionSetNode | None) -> dict[str, Any]:
    if isinstance(type, GraphQLList):
        return {"type": "array", "items": _type(type.of_type, selections)}
    if selections is not None:
        assert isinstance(type, GraphQLObjectType)
        return _object(type, selections)
    if isinstance(type, GraphQLEnumType):
        return {"type": "string", "enum": list(type.values)}
    name = get_named_type(type).name
    # JSON is any value.
    return {} if name == "JSON" else {"type": _SCALARS.get(name, "string")}
