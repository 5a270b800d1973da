"""Tests searches in the batcher: what of an answer counts, and what is remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.exchange_receipt import Receipt, recording
from upstream.client.upstream_errors import UpstreamBadData, UpstreamUnavailable

HIT = {
    "description": "",
    "title": "a",
    "title_no_prefix": "a",
    "slug_no_prefix": "a",
    "clean_title": "a",
    "absolute_url": "/packages/p/a/",
    "created": "2026-02-16T00:30:00-05:00",
    "modified": "2026-02-16T00:30:00-05:00",
    "weight": 1,
    "item_type": "package",
    "slug": "a",
    "category": "Apps",
    "repo_watchers": 0,
    "repo_forks": 0,
    "pypi_downloads": 0,
    "score": 0,
    "usage": 0,
    "participants": "",
    "last_committed": None,
    "last_released": None,
}


@asynccontextmanager
async def batcher_of(
    answer: Callable[[], httpx.Response],
) -> AsyncIterator[tuple[Batcher, Client, list[httpx.Request]]]:
    requests: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer()

    client = Client("https://djangopackages.test/api/v4/", httpx.MockTransport(record), CLIENT_LIMITS)
    batcher = Batcher(client, BUDGET)
    yield batcher, client, requests
    await batcher.aclose()
    await client.aclose()


def answering(hits: object) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(200, json=hits)


async def test_a_query_is_one_argument_whatever_is_in_it() -> None:
    query = 'a&limit=5#?q=%00 "b" +é🦄'
    async with batcher_of(answering([])) as (batcher, _client, requests):
        assert await batcher.search(query) == ()
    (request,) = requests
    assert request.url.path == "/api/v4/search/"
    assert request.url.params.multi_items() == [("q", query)]


async def test_hits_that_do_not_fit_are_left_out_and_counted() -> None:
    bad = [{}, 7, HIT | {"slug": None}, HIT | {"item_type": "category"}]
    async with batcher_of(answering([bad[0], HIT, *bad[1:]])) as (batcher, client, _requests):
        (hit,) = await batcher.search("a")
        assert client.bad_records == 4
    assert hit.slug == "a"


async def test_an_answer_is_remembered_until_a_new_catalog_comes() -> None:
    receipt = Receipt()
    async with batcher_of(answering([HIT])) as (batcher, _client, requests):
        await batcher.search("a")
        with recording(receipt):
            await batcher.search("a")
        assert len(requests) == 1
        await batcher.search("A")
        batcher.forget()
        await batcher.search("a")
    assert len(requests) == 3
    # A hit is no record.
    assert (receipt.exchanges, receipt.from_memory) == ([], 0)


@pytest.mark.parametrize(
    ("answer", "error", "requests_sent"),
    [
        # Nonsense stays nonsense for a minute; a failure may pass.
        (lambda: httpx.Response(200, json={"hits": []}), UpstreamBadData, 1),
        (lambda: httpx.Response(404, json={"detail": "Not found."}), UpstreamBadData, 1),
        (lambda: httpx.Response(503), UpstreamUnavailable, 2),
    ],
)
async def test_nonsense_is_remembered_and_a_failure_is_not(
    answer: Callable[[], httpx.Response], error: type[Exception], requests_sent: int
) -> None:
    async with batcher_of(answer) as (batcher, _client, requests):
        for _ in range(2):
            with pytest.raises(error):
                await batcher.search("a")
    assert len(requests) == requests_sent
