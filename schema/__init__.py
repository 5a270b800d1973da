"""The graph that clients see: one file a type, and the schema built of them."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types import ExecutionContext

from schema.query import Query
from schema.subscription import Subscription

KEPT_DOCUMENTS = 1000
"""How many parsed and validated documents are kept."""


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing: whoever presents the errors to the client decides which of them the log needs."""


class _ParserCache(ParserCache):
    def __init__(self) -> None:
        super().__init__(maxsize=KEPT_DOCUMENTS)


class _ValidationCache(ValidationCache):
    def __init__(self) -> None:
        super().__init__(maxsize=KEPT_DOCUMENTS)


schema = _Schema(Query, subscription=Subscription, extensions=[_ParserCache, _ValidationCache])

__all__ = ["schema"]
