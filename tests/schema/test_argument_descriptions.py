"""Descriptions of arguments speak of their own field."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLField, GraphQLObjectType

from schema import schema

PAGING = {"first", "after", "last", "before", "since"}


def fields_with_arguments() -> Iterator[tuple[str, GraphQLField]]:
    """Yield all fields that take arguments, by type and name."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            yield from ((f"{type_.name}.{name}", field) for name, field in type_.fields.items() if field.args)


FIELDS = dict(fields_with_arguments())


@pytest.mark.parametrize("name", FIELDS)
def test_a_description_names_no_argument_that_the_field_lacks(name: str) -> None:
    field = FIELDS[name]
    for argument in field.args.values():
        named = PAGING & set(re.findall(r"`(\w+)`", argument.description or ""))
        assert named <= field.args.keys()


def test_the_packages_of_a_grid_are_described_in_the_order_in_which_they_come() -> None:
    description = FIELDS["Grid.packages"].args["orderBy"].description
    assert (
        description
        == "The sort order. By default packages are sorted by title, regardless of case, and equal "
        "titles by databaseId."
    )
