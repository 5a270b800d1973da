"""Tests short requests that stopped a gateway for seconds: each is now cheap, or stopped before it is dear."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from engine import Stopped, TooComplex
from gateway.current_caller import NOBODY
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from resolvers.filters.filter_cache import package_filters
from tests.support.dearest_operations import source_alone
from tests.support.gateway_in_process import gateway_over
from tests.support.settings_for_tests import DOCUMENT_LIMITS

CONDITIONS = {"and": [{"text": "zqN"}] * 49}


@pytest.fixture
async def source(whole_catalog: Catalog) -> AsyncIterator[CatalogSource]:
    whole_catalog._views.pop(package_filters, None)
    async with source_alone(whole_catalog) as source:
        yield source
    # What was stopped ends by itself, and soon.
    async with asyncio.timeout(20):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


def patient(source: CatalogSource, *, use_engine: bool = True) -> Gateway:
    """Return a gateway that ends no operation for the time that it takes on a busy machine."""
    return gateway_over(source, use_engine=use_engine, limit_seconds=120)


def aliases(count: int, field: str) -> str:
    return " ".join(f"a{number}: {field}" for number in range(count))


async def steps(gateway: Gateway, query: str, **variables: Any) -> int:
    """Return how many steps an operation takes that is answered."""
    answer = await gateway.execute(GraphQLRequest(query, variables, receipt=True))
    assert not answer.failed, answer.body[:500]
    taken: int = answer.decoded()["extensions"]["work"]["steps"]
    return taken


async def refused_by(gateway: Gateway, query: str, **variables: Any) -> str:
    """Return the limit that an operation is beyond."""
    answer = await gateway.execute(GraphQLRequest(query, variables))
    (error,) = answer.decoded()["errors"]
    assert error["extensions"]["code"] == "OPERATION_TOO_COMPLEX"
    assert "data" not in answer.decoded()
    limit: str = error["extensions"]["limit"]
    return limit


@pytest.mark.parametrize(
    "nested",
    [
        "contributors(first: 100) { nodes { %s } }|packages",
        "grids(first: 100) { nodes { %s } }|packagesConnection",
    ],
)
async def test_a_filter_on_nested_lists_is_worked_out_once(
    source: CatalogSource, whole_catalog: Catalog, nested: str, use_engine: bool
) -> None:
    outer, _, field = nested.partition("|")
    gateway = patient(source, use_engine=use_engine)
    filtered = f"{field}(first: 0, filter: $f) {{ totalCount }}"
    taken = [
        await steps(
            gateway, f"query($f: PackageFilter) {{ {outer % aliases(count, filtered)} }}", f=CONDITIONS
        )
        for count in (1, 4)
    ]
    assert len(whole_catalog.view(package_filters)) == 1
    # Its conditions count once: with four times as many lists there are less than twice as many steps.
    assert taken[0] < taken[1] < 2 * taken[0] < DOCUMENT_LIMITS.work


async def test_many_filtered_lists_are_refused(source: CatalogSource, use_engine: bool) -> None:
    gateway = patient(source, use_engine=use_engine)
    filtered = aliases(130, "packages(first: 0, filter: $f) { totalCount }")
    query = f"query($f: PackageFilter) {{ contributors(first: 100) {{ nodes {{ {filtered} }} }} }}"
    assert await refused_by(gateway, query, f=CONDITIONS) == "work"


async def test_of_many_filters_no_more_are_worked_out_than_may_be(
    source: CatalogSource, whole_catalog: Catalog, use_engine: bool
) -> None:
    declared = ", ".join(f"$f{number}: PackageFilter" for number in range(50))
    fields = " ".join(f"a{n}: packages(first: 1, filter: $f{n}) {{ totalCount }}" for n in range(50))
    filters = {f"f{n}": {"and": [{"text": f"zq{n}"}] * 49} for n in range(50)}
    gateway = patient(source, use_engine=use_engine)
    assert await refused_by(gateway, f"query({declared}) {{ {fields} }}", **filters) == "work"
    assert len(whole_catalog.view(package_filters)) <= 7


@pytest.mark.parametrize("filters", [[{"text": "z"}] * 20_000, [{}] * 50_000])
async def test_a_filter_of_a_megabyte_is_refused_before_it_is_read(
    source: CatalogSource, filters: list[Any]
) -> None:
    query = "query($f: PackageFilter) { packages(filter: $f) { totalCount } }"
    assert await refused_by(patient(source), query, f={"or": filters}) == "work"


async def test_variables_beyond_the_limit_are_not_read(source: CatalogSource) -> None:
    """The values of an input were read one by one, to see what they depend on, before the limit was."""
    gateway = patient(source)
    query = "query($f: PackageFilter) { packages(first: 1, filter: $f) { totalCount } }"
    request = GraphQLRequest(query, {"f": {"or": [{"text": "a"}] * 100_000}})
    prepared = await gateway.prepare(request, gateway.source.current())
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        assert gateway.at_once.answer(prepared, NOBODY, 0) is None
        answer = await gateway.run(prepared)
    finally:
        sys.setprofile(None)
    (error,) = answer.decoded()["errors"]
    assert error["extensions"]["limit"] == "work"
    assert calls < 5_000


async def test_a_thousand_entities_are_answered(source: CatalogSource, whole_catalog: Catalog) -> None:
    query = """query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Package { title grids { title packages { title category { title } } } } } }"""
    ids = list(whole_catalog.packages)[:1000]
    by_id = [{"__typename": "Package", "databaseId": id} for id in ids]
    by_url = [{"__typename": "Package", "repoUrl": whole_catalog.packages[id].repo_url} for id in ids]
    for representations in (by_id, by_url):
        assert await steps(patient(source), query, r=representations) < DOCUMENT_LIMITS.work / 2


async def test_searches_count_their_words_and_results(source: CatalogSource) -> None:
    gateway = patient(source)
    few = aliases(5, 'search(query: "no such words", first: 100) { totalCount }')
    many = aliases(50, 'search(query: "django OR a OR the", first: 100) { totalCount }')
    assert 5 * 3 * 500 <= await steps(gateway, f"{{ {few} }}") < DOCUMENT_LIMITS.work / 10
    assert await refused_by(gateway, f"{{ {many} }}") == "work"


async def test_co_contributors_of_many_are_refused_while_they_are_counted(source: CatalogSource) -> None:
    query = """{ packages(first: 100) { nodes { contributors {
      coContributors(first: 1) { sharedPackageCount coContributors: contributor { packageCount } } } } } }"""
    several = f"{{ x: {query[2:-2]} y: {query[2:-2]} }}"
    assert await refused_by(patient(source), several) in ("work", "values")


async def test_errors_of_many_fields_count(source: CatalogSource, use_engine: bool) -> None:
    failing = aliases(4, "commitActivity { lastWeeks(n: 0) }")
    query = f"{{ grids(first: 50, orderBy: PACKAGE_COUNT_DESC) {{ nodes {{ packages {{ {failing} }} }} }} }}"
    gateway = patient(source, use_engine=use_engine)
    assert await refused_by(gateway, query) == "work"
    few = await gateway.execute(GraphQLRequest(query.replace("first: 50", "first: 2")))
    assert 100 < len(few.decoded()["errors"]) < 1_000


async def test_deferred_parts_count_and_are_ended_by_one_error(source: CatalogSource) -> None:
    deferred = " ".join(f'... @defer(label: "d{n}") {{ a{n}: title }}' for n in range(8))
    query = f"{{ packages(first: 100) {{ nodes {{ {deferred} }} }} }}"
    gateway = gateway_over(source, limit_work=10_000)
    with pytest.raises(Stopped) as caught:
        async for _part in gateway.parts(await gateway.prepare(GraphQLRequest(query), source.current())):
            pass
    assert isinstance(caught.value.error, TooComplex)
    assert caught.value.error.limit == "work"
