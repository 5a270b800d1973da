"""Documents: parsed and validated once, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)
from strawberry.extensions import SchemaExtension

KEPT_DOCUMENTS = 1000
"""How many documents are kept: those used last."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document as parsed; ``errors`` say why none of its operations can run."""

    node: DocumentNode | None
    """None if it is not GraphQL."""
    errors: tuple[GraphQLError, ...]
    operations: tuple[tuple[str | None, OperationType], ...]
    """Its operations: their names, if they have one, and types."""


@lru_cache(maxsize=KEPT_DOCUMENTS)
def read_document(text: str, schema: GraphQLSchema) -> Document:
    """The document with this text. Rules beside those of the specification have their place here."""
    try:
        node = parse(text)
    except GraphQLError as error:
        return Document(None, (error,), ())
    operations = tuple(
        (definition.name.value if definition.name else None, definition.operation)
        for definition in node.definitions
        if isinstance(definition, OperationDefinitionNode)
    )
    return Document(node, tuple(validate(schema, node)), operations)


class KnownDocuments(SchemaExtension):
    """Gives Strawberry's execution the documents from here."""

    def on_parse(self) -> Iterator[None]:
        """Take the parsed document; one that is not GraphQL is left to Strawberry to say so."""
        context = self.execution_context
        context.graphql_document = read_document(context.query or "", context.schema._schema).node
        yield

    def on_validate(self) -> Iterator[None]:
        """Take the errors."""
        context = self.execution_context
        errors = read_document(context.query or "", context.schema._schema).errors
        context.pre_execution_errors = list(errors)
        yield
