"""What resolvers are annotated to return is what the schema says of their fields."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLOutputType
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from catalog.contributor_index import ContributorRecord
from catalog.freshness import SnapshotStatus
from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import RefusedCrawl
from resolvers.grid import Amount, ComparedPackage
from resolvers.lists.pagination import Connection
from resolvers.related_packages import RelatedPackage
from schema import schema
from schema.federation import Service
from schema.record_node import RecordNode
from tests.support.field_types import FieldTypes
from upstream.client.upstream_errors import UpstreamBadData
from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord, SearchHitRecord

OBJECTS = {
    name: (type_, definition)
    for name, type_ in schema._schema.type_map.items()
    if isinstance(type_, GraphQLObjectType)
    and isinstance(definition := type_.extensions.get("strawberry-definition"), StrawberryObjectDefinition)
}
RECORDS = {
    name: definition.origin.record
    for name, (_, definition) in OBJECTS.items()
    if issubclass(definition.origin, RecordNode)
}
OTHERS = {
    "CatalogStatus": SnapshotStatus,
    "RefusedCrawl": RefusedCrawl,
    "Contributor": ContributorRecord,
    "SearchHit": SearchHitRecord,
    "Stats": Catalog,
}
"""The other types whose fields are read from something else than themselves."""
ENTITIES: dict[str, type] = {**RECORDS, **OTHERS}
TYPES = FieldTypes(schema._schema, ENTITIES)


def fields() -> Iterator[tuple[str, StrawberryField, GraphQLOutputType]]:
    """Fields by type and name: those with a resolver of ours, and all of the types over records.

    The fields of a generic type name no record, so that mypy compares them.
    """
    for owner, (type_, object_definition) in OBJECTS.items():
        if object_definition.concrete_of is not None:
            continue
        for name, definition in type_.fields.items():
            field = (definition.extensions or {}).get("strawberry-definition")
            if not isinstance(field, StrawberryField):
                continue
            resolver = field.base_resolver
            is_ours = resolver is not None and not resolver.wrapped_func.__module__.startswith("strawberry.")
            if is_ours or (resolver is None and owner in ENTITIES):
                yield f"{owner}.{name}", field, definition.type


FIELDS = {name: (field, type_) for name, field, type_ in fields()}


def graphql_type(name: str) -> GraphQLOutputType:
    return FIELDS[name][1]


@pytest.mark.parametrize("name", FIELDS)
def test_a_resolver_returns_what_its_field_is(name: str) -> None:
    field, type_ = FIELDS[name]
    returned = TYPES.returned(field, name.partition(".")[0])
    assert TYPES.fits(returned, type_), f"{name} is a {type_}, and is given a {returned}"


def test_the_fields_of_all_types_over_records_are_compared() -> None:
    owners = {name.partition(".")[0] for name in FIELDS}
    assert owners >= {"Query", "Subscription", "CommitActivity", *ENTITIES}


@pytest.mark.parametrize(
    ("name", "returned"),
    [
        ("Package.title", int),
        ("Package.title", str | None),
        ("Package.repoForks", bool),
        ("Package.category", GridRecord | None),
        ("Package.category", CategoryRecord | GridRecord),
        ("Package.grids", list[PackageRecord | None]),
        ("Package.grids", GridRecord),
        ("Package.grids", list[GridRecord] | None),
        ("Package.relatedPackages", list[RelatedPackage[GridRecord, PackageRecord]]),
        ("Grid.compare", list[Amount]),
        ("Grid.stars", ComparedPackage[PackageRecord]),
        ("Stats.newest", list[PackageRecord | None]),
        ("Query.packages", Connection[GridRecord]),
        ("Query.packages", Connection[GridRecord | UpstreamBadData]),
        ("Query.packages", list[PackageRecord]),
        ("Query.node", strawberry.Info),
        ("Query.search", Connection[PackageRecord]),
        ("Query._service", str),
    ],
)
def test_what_a_field_is_not_does_not_fit_it(name: str, returned: object) -> None:
    assert not TYPES.fits(returned, graphql_type(name))


@pytest.mark.parametrize(
    ("name", "returned"),
    [
        ("Package.title", str),
        ("Package.category", CategoryRecord),
        ("Package.grids", list[GridRecord | BaseException | None]),
        ("Package.relatedPackages", list[RelatedPackage[PackageRecord, GridRecord]]),
        ("Query.packages", Connection[PackageRecord | UpstreamBadData]),
        ("Query.node", PackageRecord | ContributorRecord | None),
        ("Query._service", Service),
    ],
)
def test_what_a_field_is_fits_it(name: str, returned: object) -> None:
    assert TYPES.fits(returned, graphql_type(name))
