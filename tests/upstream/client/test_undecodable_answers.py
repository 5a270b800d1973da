"""Tests answers that cannot be decoded, in every way there is: bad data of that answer, for whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.crawls import client_of, crawled
from tests.support.impatient_clients import answers, asking
from tests.support.settings_for_tests import BUDGET
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.upstream_errors import UpstreamBadData
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE
from upstream.embedded import EmbeddedUpstream, Fault, Nested

DEEP = b"[" * 20_000 + b"]" * 20_000
UNDECODABLE = {
    "arrays that are too deep": b'{"nested":'
    + DEEP
    + b',"count":0,"next":null,"previous":null,"results":[]}',
    "bytes that are no UTF-8": b'{"count":0,"next":"\xff","previous":null,"results":[]}',
    "a number of 5,000 digits": b'{"count":' + b"9" * 5000 + b',"next":null,"previous":null,"results":[]}',
    "fewer records than none": b'{"count":-1,"next":null,"previous":null,"results":[]}',
    "no JSON": b"{",
    "nothing": b"",
}
ASKED: dict[str, Callable[[Client], Any]] = {
    "a page": lambda client: client.page(PACKAGE, limit=1),
    "a page of the crawl": lambda client: client.page(PACKAGE, limit=1, background=True),
    "a package": lambda client: client.detail(PACKAGE, 1),
    "a grid": lambda client: client.detail(GRID, 1),
    "a category": lambda client: client.detail(CATEGORY, 1),
    "a search": lambda client: client.search("celery"),
}


@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE)
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
async def test_an_answer_that_cannot_be_decoded_is_bad_data(
    ask: Callable[[Client], Any], body: bytes
) -> None:
    transport, sent = answers(httpx.Response(200, headers={"Content-Type": "application/json"}, content=body))
    async with asking(transport, attempts=3) as client:
        with pytest.raises(
            UpstreamBadData, match=r"^Upstream's answer to /\S+ is not as the v4 API promises: "
        ):
            await ask(client)
    assert len(sent) == 1


async def test_a_search_that_is_too_deep_is_bad_data() -> None:
    body = b"[" + DEEP + b"]"
    transport, _ = answers(httpx.Response(200, headers={"Content-Type": "application/json"}, content=body))
    async with asking(transport) as client:
        with pytest.raises(UpstreamBadData):
            await client.search("celery")


@pytest.mark.parametrize("path", ["packages", "grids", "categories"])
async def test_a_crawl_that_meets_such_an_answer_ends_with_bad_data(
    embedded: EmbeddedUpstream, path: str
) -> None:
    embedded.faults.add(Fault(Nested(20_000), path=f"/api/v4/{path}/"))
    with pytest.raises(
        UpstreamBadData, match=rf"^Upstream's answer to /{path}/ is not as the v4 API promises"
    ):
        await crawled(embedded)


async def test_a_user_is_told_so_at_that_place_alone(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Nested(20_000), path="/api/v4/packages/1599/"))
    query = "{ odd: package(databaseId: 1599) { title } categories { title } }"
    answer = (await http.post("/graphql", json={"query": query})).json()
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["odd"], "UPSTREAM_BAD_DATA")
    assert answer["data"]["odd"] is None
    assert len(answer["data"]["categories"]) == 6


async def test_fields_that_are_not_so_deep_are_ignored_as_all_unknown_ones_are(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Nested(50)))
    async with client_of(embedded) as client:
        found = await Batcher(client, BUDGET).fetch(PACKAGE, [1599])
    assert found[1599] is not None
