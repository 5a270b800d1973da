"""Variables become the values that graphql-core makes of them, and fail where its values do."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_variable_values,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.execution.values import VariableValues

from engine.input_coercion import InputTypes
from engine.variable_values import OperationVariables
from schema import schema as own_schema
from tests.support.numbers_of_examples import examples
from tests.support.one_operation import operation_of
from tests.support.schema_with_everything import schema as wide_schema
from tests.support.shown_values import shown

VALUES = examples(300)
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
    definition = operation_of(f"query ($v: {type_}{default}) {{ __typename }}")
    variables = OperationVariables(schema, definition.variable_definitions, InputTypes())
    signature = _signature(schema, definition)
    outcomes = set()
    draws = Random(type_)
    for values in ({}, *({"v": given(signature, draws)} for _ in range(VALUES))):
        expected = get_variable_values(
            schema, definition.variable_definitions or (), values, max_errors=1, hide_suggestions=True
        )
        ours = variables.values(values)
        outcomes.add(ours is None)
        if isinstance(expected, list):
            assert ours is None, values
        else:
            assert ours is not None, values
            assert shown(ours.coerced) == shown(expected.coerced), values
            assert _shown_sources(ours) == _shown_sources(expected), values
    # JSON takes anything, and so does the gateway's own scalar.
    assert outcomes == {True, False} or type_ in ("JSON", "_Any")


def test_a_filter_in_more_filters_than_graphql_core_allows_does_not_fit() -> None:
    definition = operation_of("query ($v: PackageFilter) { __typename }")
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
    definition = operation_of("query ($v: JSON = {a: 1}) { __typename }")
    variables = OperationVariables(wide_schema._schema, definition.variable_definitions, InputTypes())
    first, second = variables.values(None), variables.values(None)
    assert first is not None
    assert second is not None
    first.coerced["v"]["a"] = 2
    assert second.coerced["v"] == {"a": 1}


def _signature(schema: GraphQLSchema, definition: OperationDefinitionNode) -> Any:
    (variable,) = definition.variable_definitions or ()
    return type_from_ast(schema, variable.type)


def _shown_sources(values: VariableValues) -> list[str]:
    return [
        f"{name}: {source.signature.type} {shown(source.value)}" for name, source in values.sources.items()
    ]
