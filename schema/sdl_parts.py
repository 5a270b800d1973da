"""Adds directives and definitions to a document in SDL."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from graphql import (
    BooleanValueNode,
    ConstArgumentNode,
    ConstDirectiveNode,
    ConstListValueNode,
    ConstValueNode,
    DocumentNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    IntValueNode,
    NameNode,
    StringValueNode,
    parse,
)

Constant = str | bool | int | tuple[str, ...] | tuple[int, ...]
"""The value of an argument of a directive."""

Directed = TypeVar("Directed", FieldDefinitionNode, InputValueDefinitionNode)


def headed(head: str, document: DocumentNode) -> DocumentNode:
    """Return a document with the definitions of ``head`` before its own."""
    return DocumentNode(definitions=(*parse(head, no_location=True).definitions, *document.definitions))


def with_directive(node: Directed, name: str, **arguments: Constant) -> Directed:
    """Return a definition with one more directive."""
    directive = ConstDirectiveNode(
        name=NameNode(value=name),
        arguments=tuple(
            ConstArgumentNode(name=NameNode(value=key), value=_constant(value))
            for key, value in arguments.items()
        ),
    )
    return replace(node, directives=(*(node.directives or ()), directive))


def _constant(value: Constant) -> ConstValueNode:
    if isinstance(value, str):
        return StringValueNode(value=value)
    if isinstance(value, bool):
        return BooleanValueNode(value=value)
    if isinstance(value, int):
        return IntValueNode(value=str(value))
    return ConstListValueNode(values=tuple(map(_constant, value)))
