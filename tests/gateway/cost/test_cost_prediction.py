"""Tests what an operation is predicted to cost, by its fields, its pages and the averages of the catalog."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, parse

from catalog.indexed_catalog import Catalog
from gateway.cost import (
    USUAL_AVERAGES,
    OperationCost,
    catalog_averages,
)
from gateway.cost.cost_extension import MAX_COUNTED, counted_cost
from gateway.cost.cost_prediction import CACHED_PREDICTIONS, cost_predictors
from resolvers.lists.list_sizes import Length
from schema import (
    ASKS_ALWAYS,
    FIELD_WEIGHTS,
    FILTER_WEIGHT,
    INTROSPECTION_WEIGHTS,
    UPSTREAM_REQUEST,
    schema,
)
from tests.support.predicted_costs import averages_of, predicted

LISTS = averages_of(
    {
        ("Grid", "packages"): Length(100, 20, 10),
        ("Package", "grids"): Length(9, 3, 2),
        ("Query", "categories"): Length.same(6),
    }
)

CANONICAL = (Path(__file__).parents[3] / "examples" / "canonical.graphql").read_text(encoding="utf-8")


def cost(text: str, **variables: object) -> OperationCost:
    """Return what an operation costs over a known catalog with lists of these lengths."""
    return predicted(text, LISTS, variables).cost


def test_units_are_one_for_the_operation_and_one_for_each_object() -> None:
    assert cost("{ __typename }").units == 1
    assert cost("{ categories { slug title description } }").units == 1 + 6
    assert cost("{ packages(first: 3) { nodes { slug } } }").units == 1 + 1 + 3
    assert (
        cost("{ packages(first: 3) { edges { node { slug } } pageInfo { endCursor } } }").units
        == 1 + 1 + 3 + 3 + 1
    )
    assert cost('{ package(slug: "a") { participants commitsOver52 } }').units == 1 + 1


def test_lists_below_pages_are_of_mean_length_and_lists_below_lists_of_usual_length() -> None:
    assert cost("{ packages(first: 10) { nodes { grids { title } } } }").units == 1 + 1 + 10 + 20
    nested = cost('{ package(slug: "a") { grids { packages { grids { title } } } } }')
    assert nested.units == 1 + 1 + 2 + 2 * 20 + 2 * 20 * 3


def test_a_field_with_a_weight_costs_it_each_time_that_it_is_answered() -> None:
    weight = FIELD_WEIGHTS["Package", "history"]
    history = "{ packages(first: 4) { nodes { history(last: 0) { at } } } }"
    assert cost(history).units == 1 + 1 + 4 + 4 * weight
    for name, units in INTROSPECTION_WEIGHTS.items():
        argument = '(name: "Package")' if name == "__type" else ""
        assert cost(f"{{ {name}{argument} {{ __typename }} }}").units == 1 + 1 + units


def test_a_filter_costs_each_time_that_its_field_is_answered() -> None:
    once = "query($f: PackageFilter) { packages(first: 0, filter: $f) { totalCount } }"
    assert cost(once, f={"text": "a"}).units == 1 + 1 + FILTER_WEIGHT
    often = (
        '{ grids(first: 5) { nodes { packagesConnection(first: 0, filter: {text: "a"}) { totalCount } } } }'
    )
    assert cost(often).units == 1 + 1 + 5 + 5 + 5 * FILTER_WEIGHT


def test_each_field_with_a_weight_is_one_of_the_schema() -> None:
    for type_name, field in (*FIELD_WEIGHTS, *ASKS_ALWAYS):
        type_ = schema._schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        assert field in type_.fields


def test_with_a_catalog_only_a_search_asks_upstream() -> None:
    assert cost('{ package(slug: "a") { grids { packages { title } } } }').upstream_requests == 0
    searched = cost('{ a: search(query: "a") { totalCount } b: search(query: "b") { totalCount } }')
    assert searched.upstream_requests == 2
    assert searched.units == 1 + 2 * (1 + FIELD_WEIGHTS["Query", "search"] + UPSTREAM_REQUEST)


def test_without_a_catalog_records_are_read_one_by_one_or_by_pages_whatever_is_less() -> None:
    def requests(text: str) -> int:
        return predicted(text, replace(LISTS, is_known=False)).cost.upstream_requests

    assert requests('{ package(slug: "a") { title } }') == 1
    assert requests('{ package(slug: "a") { grids { title } } }') == 1 + 2
    assert requests("{ packages(first: 100) { nodes { title } } }") == 1
    # 2,000 packages of the grids fill no more than 22 pages.
    assert requests("{ grids(first: 100) { nodes { packages { title } } } }") == 1 + 22
    assert requests("{ catalog { version } }") == 0


def test_records_are_counted_once_and_are_no_more_than_the_catalog_has() -> None:
    assert (
        cost("{ packages(first: 7) { nodes { category { title } grids { title } } } }").records == 7 + 6 + 14
    )
    many = cost("{ grids(first: 100) { nodes { packages { grids { packages { title } } } } } }")
    assert many.records == USUAL_AVERAGES.records["Package"] + USUAL_AVERAGES.records["Grid"]


def test_numbers_that_no_client_can_read_are_cut_off() -> None:
    nested = "packages { grids { " * 9 + "title" + " } }" * 9
    text = f'{{ grid(slug: "a") {{ {nested} }} }}'
    found = predicted(text, LISTS)
    assert found.cost.units == found.cost.values == found.cost.bytes == found.most_values == 2**31 - 1


def test_the_dearest_path_has_the_names_of_fields_whatever_their_aliases() -> None:
    long = "a" * 10_000
    text = f"query A {{ {long}: packages(first: 3) {{ {long}: nodes {{ {long}: title b: slug }} }} }}"
    assert predicted(text, LISTS, name="A").dearest == "query.packages.nodes"
    assert predicted("{ __typename }").dearest == "query"
    assert predicted("subscription { catalogChanged { at } }").dearest == "subscription.catalogChanged"


def test_what_was_predicted_is_kept_for_as_many_lengths_as_there_is_room() -> None:
    (formula,) = set(
        cost_predictors(parse("query($n: Int) { packages(first: $n) { nodes { title } } }")).values()
    )
    first = formula.predicted({"n": 1}, None, LISTS)
    assert formula.predicted({"n": 1, "other": 5}, None, LISTS) is first
    assert formula.predicted({"n": 1}, None, USUAL_AVERAGES) is not first
    for n in range(3 * CACHED_PREDICTIONS):
        formula.predicted({"n": n}, None, LISTS)
        assert len(formula._cached) <= CACHED_PREDICTIONS


def test_averages_are_of_the_catalog(whole_catalog: Catalog) -> None:
    averages = catalog_averages(whole_catalog)
    assert averages.is_known
    assert averages.records["Package"] == len(whole_catalog.packages)
    assert averages.records["Contributor"] == len(whole_catalog.contributor_packages)
    titles = [len(each.title) + 2 for each in whole_catalog.packages.values()]
    assert averages.bytes["Package", "title"] == pytest.approx(sum(titles) / len(titles), rel=0.2)
    assert averages.bytes["Package", "commitsOver52"] == pytest.approx(1, rel=0.2)
    assert averages.length("Grid", "packages").mean == pytest.approx(14.3, rel=0.05)


async def test_an_answer_is_counted_by_its_objects_and_values_up_to_a_million_bytes() -> None:
    prediction = predicted('{ package(slug: "a") { history(last: 0) { at } } }', LISTS)
    body = b'{"errors":[{"a":1}],"data":{"a":{"b":[1,2,[],[{"c":null}]],"d":"{,}"},"e":null}}'
    assert await counted_cost(prediction, body, 2) == {
        "units": 1 + FIELD_WEIGHTS["Package", "history"] + 2 + 2 * UPSTREAM_REQUEST,
        "values": 2 + 5,
        "bytes": len(body),
        "upstreamRequests": 2,
    }
    assert (await counted_cost(prediction, b'{"data":null}', 0))["values"] == 0
    large = b'{"data":{"a":"%b"}}' % (b"a" * MAX_COUNTED)
    told = await counted_cost(prediction, large, 0)
    assert told == {"units": None, "values": None, "bytes": len(large), "upstreamRequests": 0}


@pytest.mark.parametrize(
    "text", [CANONICAL, "query($n: Int) { packages(first: $n) { nodes { title slug } } }"]
)
def test_the_memory_of_a_formula_is_what_it_says(text: str) -> None:
    document = parse(text)
    cost_predictors(document)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = [cost_predictors(document) for _ in range(20)]
        formulas = [each for formulas in made for each in set(formulas.values())]
        for formula in formulas:
            for n in range(CACHED_PREDICTIONS):
                formula.predicted({"n": n}, None, LISTS)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken / 2 < sum(each.memory for each in formulas) < 2 * taken
