"""Parses and validates documents."""

from __future__ import annotations

from collections.abc import Callable

from graphql import (
    REMOVE,
    SKIP,
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    validate,
    visit,
)
from graphql.language import Visitor, VisitorAction

from gateway.applicable_rules import applicable_rules, parts_of
from gateway.document_parsing import parse_document
from schema import Document, read_dependencies

MOST_ERRORS = 20
"""The most errors of a document that are reported. Each may cost a millisecond, to find the names that were meant."""


def read_document(
    text: str, schema: GraphQLSchema, check: Callable[[DocumentNode], None] | None = None
) -> Document:
    """Return the document with this text. ``check`` is called before validation, and what it raises is raised."""
    try:
        node = parse_document(text)
    except GraphQLError as error:
        # Without the traceback, which would keep all that was parsed.
        return Document(None, (error.with_traceback(None),), ())
    if check is not None:
        check(node)
    operations = tuple(
        (definition.name.value if definition.name else None, definition.operation)
        for definition in node.definitions
        if isinstance(definition, OperationDefinitionNode)
    )
    parts = parts_of(node)
    errors = tuple(validate(schema, node, applicable_rules(parts), max_errors=MOST_ERRORS))
    whole = visit(node, _WithoutParts()) if "directive" in parts else node
    dependencies = () if errors else read_dependencies(node, schema)
    return Document(whole, errors, operations, dependencies, in_parts=None if whole is node else node)


class _WithoutParts(Visitor):
    """Removes ``@defer`` and ``@stream``. A document without them stays as it is."""

    def enter_directive(self, node: DirectiveNode, *_: object) -> VisitorAction:
        return REMOVE if node.name.value in ("defer", "stream") else SKIP
