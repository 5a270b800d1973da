"""The graph that clients see: one file a type, and the schema built of them."""

from __future__ import annotations

from collections.abc import Callable

import strawberry
from graphql import DocumentNode, GraphQLError
from strawberry.types import ExecutionContext

from schema.documents import Document, KnownDocuments, given, read_document
from schema.query import Query
from schema.subscription import Subscription


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing: whoever presents the errors to the client decides which of them the log needs."""


schema = _Schema(Query, subscription=Subscription, extensions=[KnownDocuments])


def document(text: str, check: Callable[[DocumentNode], None] | None = None) -> Document:
    """The document with this text, parsed, looked at by ``check``, which may raise, and validated."""
    return read_document(text, schema._schema, check)


__all__ = ["Document", "document", "given", "schema"]
