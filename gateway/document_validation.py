"""Parses and validates documents."""

from __future__ import annotations

from collections.abc import Callable, Set

from graphql import (
    REMOVE,
    SKIP,
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    visit,
)
from graphql.language import Visitor, VisitorAction

from gateway.document_parsing import parse_document
from gateway.rule_checking import broken_rules
from gateway.validation_rule_selection import applicable_rules, directive_part, parts_of
from schema import AS_OF, AsOfDirective, Document, as_of_in, read_dependencies
from telemetry import span

MAX_ERRORS = 20
"""The most errors of a document that are reported. Each may cost a millisecond, to find the names that were meant."""


def read_document(
    text: str, schema: GraphQLSchema, check: Callable[[DocumentNode], None] | None = None
) -> Document:
    """Return the document with this text. ``check`` is called before validation, and what it raises is raised."""
    try:
        with span("graphql.parse"):
            node = parse_document(text)
    except GraphQLError as error:
        # The traceback is removed, because it would hold everything that was parsed.
        return Document(None, (error.with_traceback(None),), ())
    if check is not None:
        check(node)
    definitions = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
    operations = tuple((each.name.value if each.name else None, each.operation) for each in definitions)
    parts = parts_of(node)
    with span("graphql.validate"):
        errors = tuple(broken_rules(schema, node, applicable_rules(parts), MAX_ERRORS))
    in_parts = _without(node, parts, AS_OF)
    whole = _without(in_parts, parts, "defer", "stream")
    return Document(
        whole,
        errors,
        operations,
        () if errors else read_dependencies(node, schema),
        in_parts=None if whole is in_parts else in_parts,
        as_of=tuple(map(_as_of, definitions)) if in_parts is not node and not errors else (),
    )


def _as_of(operation: OperationDefinitionNode) -> AsOfDirective | None:
    node = as_of_in(operation)
    return None if node is None else AsOfDirective(node, tuple(operation.variable_definitions or ()))


def _without(document: DocumentNode, parts: Set[str], *names: str) -> DocumentNode:
    """Return a document with these parts without some directives. A document that has none of them stays as it is."""
    if parts.isdisjoint(map(directive_part, names)):
        return document
    visitor = _Without(*names)
    without: DocumentNode = visit(document, visitor)
    visitor.enter_leave_map.clear()
    return without


class _Without(Visitor):
    """Removes directives."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def enter_directive(self, node: DirectiveNode, *_: object) -> VisitorAction:
        return REMOVE if node.name.value in self._names else SKIP
