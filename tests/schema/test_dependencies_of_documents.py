"""Tests that whatever an operation may select counts for what its answer depends on, wherever a document has it."""

from __future__ import annotations

from itertools import product

import pytest
import strawberry
from graphql import GraphQLSchema, parse

from engine import DependsOn, depends_on
from schema import Dependencies, read_dependencies, schema
from tests.support.counted_calls import counted_calls

CATALOG, TIME, FEED = DependsOn.CATALOG, DependsOn.TIME, DependsOn.FEED
PACKAGES = CATALOG | DependsOn.UPSTREAM
"""What a list of packages depends on without a filter."""
WITH_INPUT = "query ($f: PackageFilter) { packages(filter: $f) { totalCount } }"


@strawberry.interface
class Named:
    name: str

    @strawberry.field(metadata=depends_on(CATALOG))  # type: ignore[untyped-decorator]
    def length(self) -> int:
        return 0


@strawberry.type
class Package(Named):
    @strawberry.field(metadata=depends_on(TIME))  # type: ignore[untyped-decorator]
    def length(self) -> int:
        return 1


@strawberry.type
class Grid(Named):
    @strawberry.field(metadata=depends_on(FEED))  # type: ignore[untyped-decorator]
    def length(self) -> int:
        return 2


@strawberry.type
class Query:
    @strawberry.field(metadata=depends_on(CATALOG))  # type: ignore[untyped-decorator]
    def named(self) -> Named:
        return Grid(name="grid")


WITH_INTERFACE = strawberry.Schema(Query, types=[Package, Grid])._schema


def dependencies(text: str, of: GraphQLSchema = schema._schema) -> Dependencies:
    """Return those of the first operation in a document."""
    return read_dependencies(parse(text), of)[0]


@pytest.mark.parametrize(
    "selected",
    [
        "catalog DIRECTIVE { version }",
        "... DIRECTIVE { catalog { version } }",
        "... on Query DIRECTIVE { catalog { version } }",
        "...Status DIRECTIVE",
        "... DIRECTIVE { ... @defer { ...Status } }",
    ],
)
def test_what_a_directive_may_leave_out_counts(selected: str) -> None:
    for name, condition in product(("skip", "include"), ("true", "false", "$v", "$d")):
        text = selected.replace("DIRECTIVE", f"@{name}(if: {condition})")
        found = dependencies(
            f"query ($v: Boolean!, $d: Boolean = false) {{ stats {{ gridCount }} {text} }}"
            " fragment Status on Query { catalog { version } }"
        )
        assert found.with_variables({"v": True}) == found.with_variables({"v": False}) == CATALOG | TIME


@pytest.mark.parametrize(
    "given",
    [
        "{activeWithinDays: 9, addedAfter: null}",
        "{addedAfter: null, activeWithinDays: 9}",
        '{activeWithinDays: 9, addedAfter: null, title: {contains: "e"}}',
        "{or: [{activeWithinDays: 9}, {not: {addedAfter: null}}, {}]}",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "{ packages(filter: FILTER) { totalCount } }",
        "query ($f: PackageFilter = FILTER) { packages(filter: $f) { totalCount } }",
        "{ ...F } fragment F on Query { packages(filter: FILTER) { totalCount } }",
    ],
)
def test_every_field_of_an_input_in_the_document_counts(text: str, given: str) -> None:
    assert dependencies(text.replace("FILTER", given)).with_variables(None) == PACKAGES | TIME | FEED


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, PACKAGES),
        ({"activeWithinDays": None, "addedAfter": None}, PACKAGES | TIME | FEED),
        ({"or": [{"activeWithinDays": 9}, {"addedAfter": None}]}, PACKAGES | TIME | FEED),
        ({"or": [{"activeWithinDays": 9}, {}], "not": {"title": {}}}, PACKAGES | TIME),
        ({"not": {"activeWithinDays": 9}, "or": [{"addedAfter": None}]}, PACKAGES | TIME | FEED),
        (None, PACKAGES),
        ([{"activeWithinDays": 9}, {"addedAfter": None}, "no filter"], PACKAGES | TIME | FEED),
        ({"no such field": {"activeWithinDays": 9}}, PACKAGES),
    ],
)
def test_every_field_of_an_input_in_the_variables_counts(given: object, expected: DependsOn) -> None:
    assert dependencies(WITH_INPUT).with_variables({"f": given}) == expected


@pytest.mark.parametrize("variables", [None, {}, {"g": {"activeWithinDays": 9}}])
def test_variables_that_are_not_given_add_nothing(variables: dict[str, object] | None) -> None:
    assert dependencies(WITH_INPUT).with_variables(variables) == PACKAGES


def test_every_variable_counts_by_its_own_type() -> None:
    text = "query ($n: Int, $f: PackageFilter, $g: GridFilter, $h: [PackageFilter!]) { stats { gridCount } }"
    found = dependencies(text)
    assert [name for name, _ in found.inputs] == ["f", "g", "h"]
    assert found.with_variables({"n": 1, "f": {"activeWithinDays": 9}, "g": {}}) == CATALOG | TIME
    assert found.with_variables({"f": {}, "h": [{"addedAfter": None}]}) == CATALOG | FEED


def test_every_fragment_that_an_operation_reaches_counts_and_no_other() -> None:
    text = """query One { stats { gridCount } ...A ...B } query Two { ...E } query Three { __typename }
        fragment A on Query { ...C } fragment B on Query { ...D ...E } fragment C on Query { catalog { version } }
        fragment D on Query { changes { totalCount } } fragment E on Query { stats { packageCount } }"""
    found = read_dependencies(parse(text), schema._schema)
    assert [each.of_fields for each in found] == [CATALOG | TIME | FEED, CATALOG, DependsOn(0)]


def test_fragments_are_followed_once_however_many_spread_them() -> None:
    # There are two ways from each step to the next, so 2 ** 16 to the last.
    steps = range(16)
    text = "{ ...A0 }" + "".join(
        f"fragment A{n} on Query {{ ...B{n} ...C{n} }} fragment B{n} on Query {{ ...A{n + 1} }}"
        f"fragment C{n} on Query {{ ...A{n + 1} }}"
        for n in steps
    )
    document = parse(f"{text} fragment A{len(steps)} on Query {{ catalog {{ version }} }}")
    with counted_calls() as calls:
        (found,) = read_dependencies(document, schema._schema)
    assert found.of_fields == CATALOG | TIME
    assert calls.number < 2**16


def test_a_field_of_an_interface_depends_on_what_the_types_that_have_it_declare() -> None:
    of = WITH_INTERFACE
    assert dependencies("{ named { name __typename } }", of).of_fields == CATALOG
    assert dependencies("{ named { key: length } }", of).of_fields == CATALOG | TIME | FEED
    assert dependencies("{ named { ... on Grid { length } } }", of).of_fields == CATALOG | FEED
