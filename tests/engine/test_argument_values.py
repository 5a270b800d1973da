"""Arguments become the values that Strawberry makes of them, and fail where its values do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import strawberry
from graphql import (
    FieldNode,
    get_argument_values,
)
from strawberry.types.arguments import convert_arguments

from engine.input_coercion import InputTypes
from engine.shared_inputs import SharedInputs
from engine.strawberry_arguments import FieldArguments
from engine.variable_values import OperationVariables
from schema import schema as own_schema
from tests.support.one_operation import operation_of
from tests.support.schema_with_everything import schema as wide_schema
from tests.support.shown_values import shown

ARGUMENTS = [
    "echo",
    "echo(json: {a: [1, null]})",
    "echo(json: {a: [1, $i]})",
    "echo(json: $j)",
    "echo(json: 5)",
    'echo(at: "2020-01-01T00:00:00+02:00", day: "2020-02-03")',
    'echo(ids: ["a", 5, $s])',
    "echo(ids: 5)",
    "echo(ids: null)",
    "echo(range: {})",
    "echo(range: {low: $i, colours: [RED, AZURE]})",
    "echo(range: {colours: RED, exact: {low: 4, exact: {high: $i}}})",
    "echo(range: $r)",
    "echo(ratio: 1)",
    "echo(ratio: $f)",
    "echo(size: LARGE)",
    "echo(size: $z)",
    "echo(matrix: [[1, 2], [], [$i]])",
    "echo(matrix: 1)",
    "page(range: {low: 1}, sizes: [SMALL, $z])",
    "page(range: $r, colour: $c)",
    "page(range: {low: $i, high: null}, colour: AZURE)",
]
VARIABLES = (
    "$i: Int = 3, $j: JSON, $s: ID = 7, $r: Range = {low: 2}, $f: Float = 2.5, $z: Size = SMALL, $c: Colour"
)
GIVEN: list[dict[str, Any]] = [
    {},
    {"i": 1, "j": {"x": 1}, "s": "y", "r": {"high": 3}, "f": 1, "z": "LARGE", "c": "RED"},
    {"i": None, "j": None, "s": None, "r": None, "f": None, "z": None, "c": None},
    {"r": {"low": 0, "exact": {"colours": ["AZURE"]}}},
]


@pytest.mark.parametrize("text", ARGUMENTS)
def test_arguments_are_made_as_by_strawberry(text: str) -> None:
    assert {outcome for values in GIVEN for outcome in _argument_outcomes(wide_schema, text, values)} != {
        None
    }


OWN_ARGUMENTS = [
    'package(slug: "x")',
    "package(id: 7)",
    "package(databaseId: $i)",
    "package(by: {databaseId: $i})",
    'package(by: {slug: "x"})',
    "packages(orderBy: STARS_ASC, first: $i)",
    "packages(orderBy: null)",
    "contributors(orderBy: $o)",
    "packagesBySlug(slugs: [$t, \"a\"])",
    'packagesBySlug(slugs: "a")',
]  # fmt: skip


@pytest.mark.parametrize("text", OWN_ARGUMENTS)
def test_arguments_of_the_gateways_fields_are_made_as_by_strawberry(text: str) -> None:
    for values in ({}, {"i": 5, "o": "LOGIN_ASC", "t": "b"}, {"i": None, "t": None}):
        list(
            _argument_outcomes(
                own_schema, text, values, "$i: Int, $t: String!, $o: ContributorOrder! = LOGIN_DESC"
            )
        )


@strawberry.input
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(f"{self.number} is odd.")


@strawberry.type
class Evens:
    @strawberry.field
    def echo(self, even: Even, many: int = 1) -> int:
        return even.number * many


def test_an_argument_that_does_not_fit_is_told_before_one_that_cannot_be_built() -> None:
    schema, text = strawberry.Schema(Evens), "echo(even: {number: 1}, many: $i)"
    (unbuilt,) = _argument_outcomes(schema, text, {"i": 2})
    assert unbuilt == "ValueError('1 is odd.')"
    (unfit,) = _argument_outcomes(schema, text, {"i": None})
    assert unfit.startswith("GraphQLError")


def _argument_outcomes(
    schema: strawberry.Schema, text: str, values: dict[str, Any], declared: str = VARIABLES
) -> Iterator[str]:
    names = [each for each in declared.split(", $") if f"${each.lstrip('$')[0]}" in text]
    variables = f"({', '.join('$' + each.lstrip('$') for each in names)})" if names else ""
    below = "" if text.startswith("echo") else " { __typename }"
    definition = operation_of(f"query {variables} {{ {text}{below} }}")
    coerced = OperationVariables(schema._schema, definition.variable_definitions, InputTypes()).values(values)
    if coerced is None:
        return
    node = definition.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    assert schema._schema.query_type is not None
    field = schema._schema.query_type.fields[node.name.value]
    python_field = (field.extensions or {})["strawberry-definition"]
    ours = FieldArguments(field, node, python_field.arguments, schema, SharedInputs())

    def expected() -> dict[str, Any]:
        return convert_arguments(
            get_argument_values(field, node, coerced),
            python_field.arguments,
            scalar_registry=schema.schema_converter.scalar_registry,
            config=schema.config,
        )

    outcome = _outcome(lambda: ours.named(coerced, None))
    assert outcome == _outcome(expected)
    if ours.are_constant:
        assert "$" not in text
        assert shown(ours.constant) == outcome
    yield outcome


def _outcome(make: Callable[[], object]) -> str:
    """Return what was made, or how it failed."""
    try:
        return shown(make())
    except Exception as error:
        return repr(error)
