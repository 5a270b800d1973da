"""Compares predictions with the answers, for the examples and for random operations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from gateway.cost import catalog_averages
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from resolvers.lists.list_sizes import Length
from schema import UPSTREAM_REQUEST, schema
from tests.support.dearest_operations import dear_operations
from tests.support.gateway_in_process import gateway_over
from tests.support.numbers_of_examples import operations
from tests.support.predicted_costs import predicted
from tests.support.random_operations import Generator

OPERATIONS = operations(500)
EXAMPLES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[3] / "examples").glob("*.graphql"))
}


async def actual_cost(gateway: Gateway, text: str, variables: dict[str, Any]) -> dict[str, int] | None:
    """Return what the answer to an operation cost; ``None`` if it is not valid, was refused, is too large to be
    counted, or has errors: a list that is null has one value, even if it would have had no items."""
    told = (await gateway.execute(GraphQLRequest(text, variables, receipt=True))).decoded()
    if "errors" in told:
        return None
    cost: dict[str, int] = told["extensions"]["cost"]["actual"]
    return None if cost["values"] is None else cost


async def test_no_answer_has_more_than_is_predicted_with_the_longest_lists(
    known_source: CatalogSource,
) -> None:
    """Pages and keys are counted exactly or as more than there are, so only the lists of the catalog can be longer than
    predicted; and none is longer than the longest."""
    assert known_source.latest is not None
    catalog = known_source.latest.catalog
    averages = catalog_averages(catalog)
    longest = {names: Length.same(length.longest) for names, length in averages.lists.items()}
    bounds = replace(averages, lists=longest)
    generator = Generator(schema._schema, dear_operations(catalog).values, relations=0.8)
    compared, equal = 0, 0
    gateway = gateway_over(known_source, limit_values=50_000, limit_work=20_000)
    for operation in map(generator.operation, range(OPERATIONS)):
        text, variables = str(operation), operation.variables
        actual = await actual_cost(gateway, text, variables)
        if actual is not None:
            bound = predicted(text, bounds, variables).cost
            assert actual["values"] <= bound.values, text
            # Keys that the catalog does not know are not predicted.
            assert _without_requests(actual["units"], actual["upstreamRequests"]) <= _without_requests(
                bound.units, bound.upstream_requests
            ), text
            compared += 1
            equal += actual["values"] == bound.values
    assert compared > 0.6 * OPERATIONS
    assert equal > 0.05 * compared


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
async def test_the_examples_cost_about_what_is_predicted(text: str, known_source: CatalogSource) -> None:
    assert known_source.latest is not None
    actual = await actual_cost(gateway_over(known_source), text, {})
    assert actual is not None
    cost = predicted(text, catalog_averages(known_source.latest.catalog)).cost
    for name, number in (("values", cost.values), ("bytes", cost.bytes)):
        assert actual[name] / 4 <= number <= 4 * actual[name], name


def _without_requests(units: int, requests: int) -> int:
    return units - UPSTREAM_REQUEST * requests
