"""Hands a document that was parsed and validated before to Strawberry's execution."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from graphql import DirectiveNode, DocumentNode, GraphQLError, OperationType, VariableDefinitionNode
from strawberry.extensions import SchemaExtension

from engine import RunLimits
from schema.error_behavior import OnError
from schema.operation_dependencies import Dependencies
from schema.strawberry_execution_limits import LIMITS, ON_ERROR, UNAWAITED, Unawaited


class AsOfDirective(NamedTuple):
    """Holds the ``@asOf`` of an operation, and the variables that the operation declares."""

    node: DirectiveNode
    variables: tuple[VariableDefinitionNode, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """Holds a parsed document. ``errors`` say why none of its operations can run."""

    node: DocumentNode | None
    """None if it is not GraphQL, or was refused before it was validated.

    It lacks ``@defer`` and ``@stream``, because a server may answer at once what may come in parts. It also lacks
    ``@asOf``, which only says what it is answered from.
    """
    errors: tuple[GraphQLError, ...]
    operations: tuple[tuple[str | None, OperationType], ...]
    """Its operations: their names, if they have one, and types."""
    dependencies: tuple[Dependencies, ...] = ()
    """What the answers to its operations depend on, in the order of ``operations``; none if it has errors."""
    in_parts: DocumentNode | None = None
    """The document with its ``@defer`` and ``@stream``; None if it has none."""
    as_of: tuple[AsOfDirective | None, ...] = ()
    """The ``@asOf`` of its operations, in the order of ``operations``; none at all where no operation can have one."""

    is_usual: bool = field(init=False)
    """Whether it has one operation, which is a query that can run."""

    def __post_init__(self) -> None:
        types = [type_ for _name, type_ in self.operations]
        object.__setattr__(self, "is_usual", not self.errors and types == [OperationType.QUERY])


@contextmanager
def given(
    document: Document, limits: RunLimits, on_error: OnError = "PROPAGATE", *, in_parts: bool = False
) -> Iterator[dict[str, object]]:
    """Return the ``operation_extensions`` with which Strawberry's execution takes this document and keeps to the
    limits.

    In the end, which may come before its own, coroutines that it made and nobody will await are closed.
    """
    unawaited = Unawaited()
    if in_parts:
        document = replace(document, node=document.in_parts)
    try:
        yield {_KEY: document, LIMITS: limits, UNAWAITED: unawaited, ON_ERROR: on_error}
    finally:
        unawaited.close()


class KnownDocuments(SchemaExtension):
    """Gives Strawberry's execution the document that it is called with, which it would parse and validate itself."""

    def on_parse(self) -> Iterator[None]:
        """Take the parsed document."""
        document = self._given()
        if document is not None:
            self.execution_context.graphql_document = document.node
        yield

    def on_validate(self) -> Iterator[None]:
        """Take the errors."""
        document = self._given()
        if document is not None:
            self.execution_context.pre_execution_errors = list(document.errors)
        yield

    def _given(self) -> Document | None:
        return (self.execution_context.operation_extensions or {}).get(_KEY)


_KEY = "document"
