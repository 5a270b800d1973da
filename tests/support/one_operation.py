"""Parses a text with one operation."""

from __future__ import annotations

from graphql import OperationDefinitionNode, parse


def operation_of(text: str) -> OperationDefinitionNode:
    (definition,) = parse(text).definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition
