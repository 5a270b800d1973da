"""Variables and arguments become the values that graphql-core and Strawberry make of them, and fail where theirs do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from enum import Enum
from random import Random
from typing import Any

import pytest
import strawberry
from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_argument_values,
    get_variable_values,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    parse,
    type_from_ast,
)
from graphql.execution.values import VariableValues
from strawberry.types.arguments import convert_arguments

from engine.input_values import InputTypes
from engine.strawberry_arguments import FieldArguments
from engine.variable_values import OperationVariables
from schema import schema as own_schema
from tests.support.schema_with_everything import schema as wide_schema

ROUNDS = 60
OWN_TYPES = (
    "String",
    "String!",
    "Int",
    "ID!",
    "[ID!]!",
    "[[Int]]",
    "PackageKey",
    "PackageFilter",
    "[PackageFilter!]!",
    "PackageOrder!",
    "[PackageDetail!]",
    "DateTime",
    "DateTimeRange!",
    "GridFilter",
    "_Any",
    "[_Any!]!",
)
WIDE_TYPES = (
    "Range",
    "Range!",
    "Colour",
    "[Colour!]",
    "Size",
    "JSON",
    "Date",
    "Float",
    "Float!",
    "Boolean",
    "[[Float]!]",
)
LEAVES: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**53 + 1,
    10**400,
    0.0,
    1.0,
    1.5,
    1e400,
    math.nan,
    "",
    "x",
    "1",
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "RED",
    "AZURE",
    "STARS_ASC",
    "PYPI",
    "\ud800",
    [],
    {},
]


def given(type_: Any, draws: Random, depth: int = 0) -> Any:
    """Return a value that may fit a type, or nearly."""
    if depth > 4 or draws.random() < 0.15:
        return draws.choice(LEAVES)
    if is_non_null_type(type_):
        return given(type_.of_type, draws, depth)
    if is_list_type(type_):
        if draws.random() < 0.2:
            return given(type_.of_type, draws, depth + 1)
        return [given(type_.of_type, draws, depth + 1) for _ in range(draws.choice([0, 1, 3]))]
    if isinstance(type_, GraphQLInputObjectType):
        names = draws.sample(list(type_.fields), min(len(type_.fields), draws.choice([0, 1, 1, 2])))
        value = {name: given(type_.fields[name].type, draws, depth + 1) for name in names}
        return value | ({"unknown": 1} if draws.random() < 0.05 else {})
    if is_enum_type(type_) and draws.random() < 0.7:
        return draws.choice(list(type_.values))
    return draws.choice(LEAVES)


@pytest.mark.parametrize("type_", OWN_TYPES)
def test_variables_of_the_gateways_types_are_coerced_as_by_graphql_core(type_: str) -> None:
    _compare(own_schema._schema, type_)


@pytest.mark.parametrize("type_", WIDE_TYPES)
def test_variables_of_all_kinds_of_types_are_coerced_as_by_graphql_core(type_: str) -> None:
    _compare(wide_schema._schema, type_)


def _compare(schema: GraphQLSchema, type_: str) -> None:
    default = {"Int": " = 7", "Colour": " = RED", "Range": " = {low: 3, colours: AZURE}"}.get(type_, "")
    definition = _operation(f"query ($v: {type_}{default}) {{ __typename }}")
    variables = OperationVariables(schema, definition.variable_definitions, InputTypes())
    signature = _signature(schema, definition)
    outcomes = set()
    draws = Random(type_)
    for values in ({}, *({"v": given(signature, draws)} for _ in range(ROUNDS * 5))):
        expected = get_variable_values(schema, definition.variable_definitions or (), values, max_errors=1)
        ours = variables.values(values)
        outcomes.add(ours is None)
        if isinstance(expected, list):
            assert ours is None, values
        else:
            assert ours is not None, values
            assert _shown(ours.coerced) == _shown(expected.coerced), values
            assert _shown_sources(ours) == _shown_sources(expected), values
    # JSON takes anything, and so does the gateway's own scalar.
    assert outcomes == {True, False} or type_ in ("JSON", "_Any")


def test_a_filter_in_more_filters_than_graphql_core_allows_does_not_fit() -> None:
    definition = _operation("query ($v: PackageFilter) { __typename }")
    variables = OperationVariables(own_schema._schema, definition.variable_definitions, InputTypes())
    fits: dict[int, bool] = {}
    for depth in (199, 200, 201, 5000):
        value: dict[str, Any] = {"slug": "x"}
        for _ in range(depth - 1):
            value = {"not": value}
        expected = get_variable_values(
            own_schema._schema, definition.variable_definitions or (), {"v": value}
        )
        fits[depth] = variables.values({"v": value}) is not None
        assert fits[depth] is not isinstance(expected, list)
    assert fits[199]
    assert not fits[201]


def test_nobody_can_change_a_default_for_the_next_request() -> None:
    definition = _operation("query ($v: JSON = {a: 1}) { __typename }")
    variables = OperationVariables(wide_schema._schema, definition.variable_definitions, InputTypes())
    first, second = variables.values(None), variables.values(None)
    assert first is not None
    assert second is not None
    first.coerced["v"]["a"] = 2
    assert second.coerced["v"] == {"a": 1}


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


def _argument_outcomes(
    schema: strawberry.Schema, text: str, values: dict[str, Any], declared: str = VARIABLES
) -> Iterator[str]:
    names = [each for each in declared.split(", $") if f"${each.lstrip('$')[0]}" in text]
    variables = f"({', '.join('$' + each.lstrip('$') for each in names)})" if names else ""
    below = "" if text.startswith("echo") else " { __typename }"
    definition = _operation(f"query {variables} {{ {text}{below} }}")
    coerced = OperationVariables(schema._schema, definition.variable_definitions, InputTypes()).values(values)
    if coerced is None:
        return
    node = definition.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    assert schema._schema.query_type is not None
    field = schema._schema.query_type.fields[node.name.value]
    python_field = (field.extensions or {})["strawberry-definition"]
    ours = FieldArguments(field, node, python_field.arguments, schema)

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
        assert _shown(ours.constant) == outcome
    yield outcome


def _operation(text: str) -> OperationDefinitionNode:
    (definition,) = parse(text).definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition


def _signature(schema: GraphQLSchema, definition: OperationDefinitionNode) -> Any:
    (variable,) = definition.variable_definitions or ()
    return type_from_ast(schema, variable.type)


def _outcome(make: Callable[[], object]) -> str:
    """Return what was made, or how it failed."""
    try:
        return _shown(make())
    except Exception as error:
        return repr(error)


def _shown_sources(values: VariableValues) -> list[str]:
    return [
        f"{name}: {source.signature.type} {_shown(source.value)}" for name, source in values.sources.items()
    ]


def _shown(value: object) -> str:
    """Return a value with the classes of all that is in it; NaN is equal to itself here."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_shown(each)}' for key, each in sorted(value.items()))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{type(value).__name__} {value.name if isinstance(value, Enum) else value!r}"
