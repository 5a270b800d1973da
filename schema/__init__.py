"""Declares the graph that clients see, one type in each file, and builds the schema from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType
from strawberry.extensions import SchemaExtension
from strawberry.extensions.directives import DirectivesExtension, DirectivesExtensionSync
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext
from strawberry.types.base import StrawberryObjectDefinition, StrawberryType

from schema.as_of import NAME as AS_OF
from schema.as_of import as_of, as_of_in
from schema.date_time import DATE_TIME
from schema.error_behavior import ON_ERROR, OnError, read_on_error
from schema.federation_tracing import extensions_of_this_request, tracing_fields
from schema.field_costs import (
    ASKS_ALWAYS,
    FIELD_WEIGHTS,
    FILTER_WEIGHT,
    INTROSPECTION_WEIGHTS,
    UPSTREAM_REQUEST,
    ListLength,
    list_length,
)
from schema.operation_dependencies import Dependencies, read_dependencies
from schema.query import Query
from schema.sdl_dialects import Dialect, UnknownDialect, print_dialect, read_dialect
from schema.strawberry_execution_limits import LimitedExecutor
from schema.subscription import Subscription
from schema.validated_document import AsOfDirective, Document, KnownDocuments, given

FEDERATION: Final = "2.0"
"""The lowest version of Apollo Federation that has ``@key`` and ``@shareable``. Newer composers and routers read it
too, and the open-source ones do not read the newest."""


_FOR_ROUTERS = ("_", "link__")
"""How the names of Federation's own types begin."""

_FOR_DIRECTIVES = (DirectivesExtension, DirectivesExtensionSync)

_NAMED_BY_THEIR_RECORDS = {"Connection", "Edge"}


class _NameConverter(NameConverter):
    def from_generic(
        self, generic_type: StrawberryObjectDefinition, types: list[StrawberryType | type]
    ) -> str:
        """Return the name of a value type that holds records. It is its own name, because the graph has it with one
        kind of records."""
        if generic_type.name in _NAMED_BY_THEIR_RECORDS:
            return super().from_generic(generic_type, types)
        return generic_type.name


class _Schema(strawberry.federation.Schema):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Explorers list the types in this order, so what only routers and composers use comes last.
        types = self._schema.type_map
        for name in [name for name in types if name.startswith(_FOR_ROUTERS) and not name.startswith("__")]:
            types[name] = types.pop(name)
        # Strawberry 0.341 does not pass its mark on, so graphql-core's rules would accept no key or several.
        for type_ in self._schema.type_map.values():
            if isinstance(type_, GraphQLInputObjectType):
                type_.is_one_of = type_.extensions["strawberry-definition"].is_one_of

    def get_extensions(self, sync: bool = False) -> list[SchemaExtension]:
        """Return Strawberry's extensions, and those of the request.

        None of them serves directives, because the gateway's own is taken out of a document before it runs.
        """
        ours = [each for each in super().get_extensions(sync) if not isinstance(each, _FOR_DIRECTIVES)]
        return [*ours, *extensions_of_this_request()]

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing, because the code that shows the errors to the client decides which of them the log needs."""


schema = _Schema(
    Query,
    subscription=Subscription,
    directives=[as_of],
    extensions=[KnownDocuments],
    execution_context_class=LimitedExecutor,
    federation_version=FEDERATION,
    # This enables ``@defer`` and ``@stream``.
    config=StrawberryConfig(enable_experimental_incremental_execution=True, name_converter=_NameConverter()),
    scalar_overrides={
        datetime: DATE_TIME,
        FederationAny: strawberry.scalar(
            name="_Any",
            description="A reference to a record: an object with `__typename` and the fields of a key.",
            serialize=lambda value: value,
            parse_value=lambda value: value,
        ),
    },
)


def sdl(dialect: Dialect) -> str:
    """Return the schema in SDL, without a line break at its end."""
    return print_dialect(schema, dialect)


__all__ = [
    "ASKS_ALWAYS",
    "AS_OF",
    "FIELD_WEIGHTS",
    "FILTER_WEIGHT",
    "INTROSPECTION_WEIGHTS",
    "ON_ERROR",
    "UPSTREAM_REQUEST",
    "AsOfDirective",
    "Dependencies",
    "Dialect",
    "Document",
    "ListLength",
    "OnError",
    "UnknownDialect",
    "as_of_in",
    "given",
    "list_length",
    "read_dependencies",
    "read_dialect",
    "read_on_error",
    "schema",
    "sdl",
    "tracing_fields",
]
