"""Every field says what its value depends on, so that no answer is kept that may be another one a moment later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType
from strawberry.types.field import StrawberryField

from engine.field_dependencies import DependsOn, declared
from schema import schema


def fields() -> Iterator[tuple[str, StrawberryField]]:
    """Yield all fields of Strawberry's in the schema, by type and name; graphql-core has those of
    introspection."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, definition in type_.fields.items():
                field = (definition.extensions or {}).get("strawberry-definition")
                if isinstance(field, StrawberryField):
                    yield f"{type_.name}.{name}", field


FIELDS = dict(fields())
RESOLVED = {
    name: field
    for name, field in FIELDS.items()
    if field.base_resolver is not None
    and not field.base_resolver.wrapped_func.__module__.startswith("strawberry.")
}
"""The fields with a function of ours; Strawberry's own makes an ``id`` of a key."""


@pytest.mark.parametrize("name", RESOLVED)
def test_every_field_with_a_resolver_declares_what_it_depends_on(name: str) -> None:
    assert declared(RESOLVED[name]), f"{name} has no metadata=depends_on(...)"


@pytest.mark.parametrize(
    ("what", "names"),
    [
        (
            DependsOn.TIME,
            {
                "Package.daysSinceLastCommit",
                "PackageFilter.activeWithinDays",
                "Query.catalog",
                "Stats.active",
            },
        ),
        (
            DependsOn.FEED,
            {
                "CatalogStatus.changesCursor",
                "CatalogStatus.historySince",
                "Grid.history",
                "Package.history",
                "PackageFilter.addedAfter",
                "PackageFilter.removedAfter",
                "Query.changes",
                "Query.removedPackages",
                "Query.trending",
                "Subscription.catalogChanged",
            },
        ),
        (DependsOn.ASKER, {"Query._entities"}),
    ],
)
def test_the_fields_whose_answers_are_never_kept_are_these(what: DependsOn, names: set[str]) -> None:
    found = {name for name, field in FIELDS.items() if what in (declared(field) or DependsOn(0))}
    assert found == names
