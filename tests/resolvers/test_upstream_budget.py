"""What strangers can make up costs upstream no more than the budget, whichever way they ask. Counted exactly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.types import Receive, Scope, Send
from strawberry import relay

from catalog.catalog_source import CatalogSource
from tests.support.batcher_with_held_answers import Clock
from tests.support.gateway_in_process import Upstream, asking, source_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.numbers_of_examples import share_of
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream, Fault, Latency, StatusFault

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

BUDGET = 60
MANY, VERY_MANY = 2_000, 10_000
HELD = {"version", "refreshedAt", "ageSeconds", "stale", "syncing", "notLookedUp"}

Request = Callable[[range], tuple[str, dict[str, Any]]]
Ways = dict[str, tuple[int, Request]]
"""By name, how many invented keys one request has, and the request for a range of numbers."""


def one_by_one(type_: str, field: str, key: Callable[[int], Any]) -> Request:
    """Looks up each key by a field of its own, so many in a request, always by the same document."""

    def request(numbers: range) -> tuple[str, dict[str, Any]]:
        places = range(len(numbers))
        declared = " ".join(f"$k{place}: {type_}" for place in places)
        fields = " ".join(f"a{place}: {field % f'$k{place}'} {{ id }}" for place in places)
        variables = {f"k{place}": key(number) for place, number in zip(places, numbers, strict=True)}
        return f"query({declared}) {{ {fields} }}", variables

    return request


def global_id(number: int) -> str:
    return relay.to_base64("Package", 10**6 + number)


WAYS: Ways = {
    "slug": (50, one_by_one("String!", "package(slug: %s)", "made-up-{}".format)),
    "databaseId": (50, one_by_one("Int!", "package(databaseId: %s)", lambda number: 10**6 + number)),
    "by": (50, one_by_one("PackageKey!", "package(by: %s)", lambda number: {"slug": f"made-up-{number}"})),
    "node": (50, one_by_one("ID!", "node(id: %s)", global_id)),
    "nodes": (100, lambda n: ("query($k: [ID!]!) { nodes(ids: $k) { id } }", {"k": [*map(global_id, n)]})),
    "packagesBySlug": (
        100,
        lambda n: (
            "query($k: [String!]!) { packagesBySlug(slugs: $k) { id } }",
            {"k": [f"made-up-{i}" for i in n]},
        ),
    ),
    "packagesById": (
        100,
        lambda n: ("query($k: [ID!]!) { packagesById(ids: $k) { id } }", {"k": [*map(global_id, n)]}),
    ),
    "_entities": (
        1000,
        lambda n: (
            "query($k: [_Any!]!) { _entities(representations: $k) { __typename } }",
            {"k": [{"__typename": "Package", "databaseId": 10**6 + i} for i in n]},
        ),
    ),
    "grid": (50, one_by_one("String!", "grid(slug: %s)", "made-up-{}".format)),
    "pypiName": (
        100,
        lambda n: (
            "query($k: [String!]!) { packagesByPypiName(names: $k) { id } }",
            {"k": [f"made-up-{i}" for i in n]},
        ),
    ),
    "repoUrl": (
        100,
        lambda n: (
            "query($k: [String!]!) { packagesByRepoUrl(urls: $k) { id } }",
            {"k": [f"https://github.com/made/up-{i}" for i in n]},
        ),
    ),
}
FROM_THE_CATALOG = {"_entities": 0, "pypiName": 1, "repoUrl": 1}
"""The ways on which the catalog answers, alone or with the newest packages: the requests that all keys cost."""


def found(body: dict[str, Any]) -> list[Any]:
    values = [*body["data"].values()]
    return values[0] if isinstance(values[0], list) else values


def source_with(upstream: Upstream, budget: float) -> AbstractAsyncContextManager[CatalogSource]:
    """Open a source whose time stands still, so that the budget does not grow while the test runs."""
    client = Client(UPSTREAM_URL, in_process(upstream), CLIENT_LIMITS)
    return source_of(client, Batcher(client, budget, Clock()))


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream of two pages of packages, because nearly each test crawls it."""
    return generated_upstream(120)


@pytest.fixture
async def source(embedded: EmbeddedUpstream) -> AsyncIterator[CatalogSource]:
    async with source_with(embedded, BUDGET) as source:
        yield source


@pytest.mark.parametrize(("way", "keys"), [(way, VERY_MANY if way == "slug" else MANY) for way in WAYS])
async def test_thousands_of_invented_keys_cost_upstream_no_more_than_the_budget(
    source: CatalogSource, embedded: EmbeddedUpstream, way: str, keys: int
) -> None:
    await source.crawl()
    embedded.requests.reset()
    ask, (size, request) = asking(source), WAYS[way]
    not_looked_up = 0
    firsts = share_of(range(0, keys, size))
    assert len(firsts) * size > 2 * BUDGET
    for first in firsts:
        document, variables = request(range(first, first + size))
        body = await ask(document, **variables)
        assert "errors" not in body
        assert found(body) == [None] * size
        freshness = body.get("extensions", {}).get("freshness", {"notLookedUp": 0})
        not_looked_up += freshness["notLookedUp"]
    asked = FROM_THE_CATALOG.get(way, BUDGET)
    assert embedded.requests.total == asked
    assert not_looked_up == (0 if way in FROM_THE_CATALOG else len(firsts) * size - asked)


async def test_a_lookup_that_was_not_made_says_so_without_a_receipt(embedded: EmbeddedUpstream) -> None:
    async with source_with(embedded, 1) as source:
        await source.crawl()
        ask = asking(source)
        body = await ask('{ a: package(slug: "made-up-1") { id } }')
        assert body == {"data": {"a": None}}
        body = await ask('{ a: package(slug: "made-up-1") { id } b: grid(slug: "made-up-2") { id } }')
        assert body["data"] == {"a": None, "b": None}
        freshness = body["extensions"]["freshness"]
        assert freshness.keys() == HELD
        assert freshness["notLookedUp"] == 1  # the first is remembered
        assert freshness["version"] == (await ask("{ catalog { version } }"))["data"]["catalog"]["version"]


async def test_a_new_package_is_found_and_costs_nothing(embedded: EmbeddedUpstream) -> None:
    async with source_with(embedded, 1) as source:
        await source.crawl()
        new = [embedded.catalog.insert_package(slug=f"new-{number}") for number in range(5)]
        ask = asking(source)
        for id in new:
            body = await ask("query($k: Int!) { package(databaseId: $k) { databaseId } }", k=id)
            assert body == {"data": {"package": {"databaseId": id}}}
        assert (await ask('{ package(slug: "made-up") { id } }')) == {"data": {"package": None}}
        assert "extensions" in await ask('{ package(slug: "made-up-2") { id } }')


async def test_a_missing_name_is_asked_for_once_until_a_look_finds_something(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    await source.crawl()
    ask = asking(source)
    embedded.requests.reset()
    query = '{ package(slug: "made-up") { id } }'
    for _ in range(3):
        assert (await ask(query))["data"] == {"package": None}
        assert not await source.refresher.look()
    assert embedded.requests.by_target["/api/v4/packages/made-up/"] == 1
    embedded.catalog.insert_package()
    await source.refresher.look()
    await ask(query)
    assert embedded.requests.by_target["/api/v4/packages/made-up/"] == 2


# Without a catalog


async def test_without_a_catalog_invented_keys_have_the_budget_and_real_ones_all_they_need(
    source: CatalogSource, embedded: EmbeddedUpstream, ask: Ask
) -> None:
    real = sorted(row.slug for row in embedded.catalog.packages.values() if not row.slug.isdigit())[:100]
    document = "query($k: [String!]!) { packagesBySlug(slugs: $k) { slug } }"
    body = await ask(document, k=real)
    assert [each["slug"] for each in body["data"]["packagesBySlug"]] == real
    embedded.requests.reset()
    firsts = share_of(range(0, MANY, 100))
    outcomes = [await ask(document, k=[f"made-up-{first + n}" for n in range(100)]) for first in firsts]
    assert embedded.requests.total == BUDGET
    codes = [error["extensions"]["code"] for body in outcomes for error in body.get("errors", ())]
    # Without a catalog nobody knows that there is none.
    assert codes == ["RATE_LIMITED"] * (100 * len(firsts) - BUDGET)


async def test_relations_cost_no_budget(embedded: EmbeddedUpstream) -> None:
    async with source_with(embedded, 1) as source:
        ask = asking(source)
        await ask('{ package(slug: "made-up") { id } }')
        body = await ask(
            '{ a: package(slug: "made-up-2") { id } grids(first: 5) { nodes { packages { slug } } } }'
        )
        assert [error["path"] for error in body["errors"]] == [["a"]]
        assert all(grid["packages"] for grid in body["data"]["grids"]["nodes"])


async def test_a_request_that_was_not_sent_costs_nothing(embedded: EmbeddedUpstream) -> None:
    async with source_with(embedded, 3) as source:
        await source.crawl()
        ask = asking(source)
        embedded.faults.add(Fault(StatusFault(503, retry_after="100"), times=1))
        for number in range(10):
            body = await ask("query($k: String!) { package(slug: $k) { id } }", k=f"made-up-{number}")
            assert body["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"


# Searches


async def test_searches_beyond_the_budget_are_answered_by_the_gateways_own_index(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    await source.crawl()
    embedded.requests.reset()
    ask = asking(source)
    aliases = " ".join(
        f's{n}: search(query: "django {n}", first: 1) {{ answeredBy reason totalCount }}' for n in range(50)
    )
    answers = [
        answer
        for turn in range(4)
        for answer in (await ask(f"{{ {aliases} }}".replace('"django ', f'"django {turn} ')))["data"].values()
    ]
    by_upstream = [answer for answer in answers if answer["answeredBy"] == "UPSTREAM"]
    searches = sum(
        count for target, count in embedded.requests.by_target.items() if target.startswith("/api/v4/search/")
    )
    assert len(answers) == 200
    assert len(by_upstream) == searches == BUDGET
    assert {answer["reason"] for answer in answers if answer not in by_upstream} == {
        "The gateway has used up its budget for searches and unknown keys at Django Packages for now."
    }


async def test_without_a_catalog_a_search_beyond_the_budget_is_an_error(embedded: EmbeddedUpstream) -> None:
    async with source_with(embedded, 1) as source:
        ask = asking(source)
        assert "errors" not in await ask('{ search(query: "email", first: 1) { answeredBy } }')
        body = await ask('{ search(query: "celery", first: 1) { answeredBy } }')
        (error,) = body["errors"]
        assert (body["data"], error["extensions"]["code"]) == ({"search": None}, "RATE_LIMITED")
        assert 0 < error["extensions"]["retryAfter"] <= 60


@pytest.mark.virtual_time
async def test_a_crawl_ends_while_users_want_more_than_upstream_can_give() -> None:
    """One turn in four is the crawl's, whatever users want."""
    embedded = generated_upstream(300)
    embedded.faults.add(Fault(Latency(0.001)))
    crawls, by_the_crawl = 8, 0

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal by_the_crawl
        by_the_crawl += "/search/" not in scope["path"]
        await embedded(scope, receive, send)

    async with source_with(counting, 100_000) as source:

        async def search(user: int) -> None:
            number = 0
            # A crawl that has asked for everything needs no more turns, and its threads would only be held up.
            while by_the_crawl < crawls:
                number += 1
                await source.batcher.search(f"django {user} {number}")

        users = [asyncio.create_task(search(user)) for user in range(64)]
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await source.crawl()
        await asyncio.gather(*users)
    assert by_the_crawl == crawls
