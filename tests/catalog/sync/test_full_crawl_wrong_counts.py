"""Tests a list that says it is longer or shorter than it is: believed as far as its pages confirm it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest

from catalog.sync.full_crawl import LastGood, crawl
from tests.support.batcher_with_held_answers import settle
from tests.support.crawls import asked, client_of, crawled
from tests.support.impatient_clients import UPSTREAM_URL
from tests.support.numbers_of_examples import share_of
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import ContradictoryList, UpstreamBadData
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream, Fault, WrongCount

HIGH = 10**9


@pytest.fixture(scope="module")
def high_rows() -> EmbeddedCatalog:
    """Return 1,300 packages whose ids leave room for any number. Do not change them."""
    catalog = EmbeddedCatalog()
    catalog.insert_category()
    for number in range(1300):
        catalog.insert_package(id=HIGH + number)
    return catalog


@pytest.fixture
def high_ids(high_rows: EmbeddedCatalog) -> EmbeddedUpstream:
    return EmbeddedUpstream(catalog=high_rows)


async def test_a_count_that_the_ids_leave_no_room_for_is_bad_data_after_one_request(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(WrongCount(100_000)))
    with pytest.raises(UpstreamBadData, match=r"says that there are 30,000,000 records, but its ids allow"):
        await crawled(embedded)
    assert embedded.requests.total == 1


async def test_a_count_that_no_page_confirms_costs_a_few_requests_beyond_the_real_pages(
    high_ids: EmbeddedUpstream,
) -> None:
    high_ids.faults.add(Fault(WrongCount(100_000)))
    with pytest.raises(
        UpstreamBadData,
        match=r"^Upstream says that it has 130,000,000 packages, but sent 0 of the 100 from position ",
    ):
        await crawled(high_ids)
    targets = Counter(asked(high_ids))
    assert set(targets.values()) == {1}
    beyond = [offset for offset in map(_offset, targets) if offset >= 1300]
    assert len(beyond) <= 8
    assert len(targets) - len(beyond) == 13


async def test_a_crawl_of_such_a_list_holds_few_tasks_and_ends_at_once_when_it_is_cancelled(
    high_ids: EmbeddedUpstream,
) -> None:
    high_ids.faults.add(Fault(WrongCount(100_000)))
    async with client_of(Waiting(high_ids), CLIENT_LIMITS) as client:
        crawling = asyncio.create_task(crawl(Batcher(client, BUDGET), client, LastGood()))
        await settle()
        assert len(asyncio.all_tasks()) < 50
        crawling.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert crawling.cancelled()
        assert len(asyncio.all_tasks()) == 1


async def test_a_crawl_of_such_a_list_that_is_cancelled_in_any_turn_is_cancelled(
    high_ids: EmbeddedUpstream,
) -> None:
    high_ids.faults.add(Fault(WrongCount(100_000)))

    async def cancelled_after(turns: int) -> tuple[int, object]:
        """Cancel a crawl after so many turns, unless it has ended before, and return when and how it ended."""
        async with client_of(high_ids) as client:
            crawling = asyncio.create_task(crawl(Batcher(client, BUDGET), client, LastGood()))
            turn = 0
            while turn < turns and not crawling.done():
                await asyncio.sleep(0)
                turn += 1
            was_running = crawling.cancel()
            (outcome,) = await asyncio.gather(crawling, return_exceptions=True)
            assert isinstance(outcome, asyncio.CancelledError) == was_running, turn
            return turn, outcome

    last, outcome = await cancelled_after(1_000)
    assert isinstance(outcome, ContradictoryList)
    assert 10 < last < 1_000
    for turns in share_of(range(last)):
        await cancelled_after(turns)


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.99])
async def test_a_count_that_is_less_than_a_page_shows_is_bad_data(
    embedded: EmbeddedUpstream, factor: float
) -> None:
    embedded.faults.add(Fault(WrongCount(factor), path="/api/v4/packages/"))
    with pytest.raises(UpstreamBadData):
        await crawled(embedded)
    assert (
        embedded.requests.total <= 5 * 4 + 6
    )  # five readings with a look each, and the other two lists once


async def test_a_wrong_count_makes_no_plan_of_thousands_of_pages(high_ids: EmbeddedUpstream) -> None:
    high_ids.faults.add(Fault(WrongCount(100_000)))
    async with client_of(high_ids) as client:
        batcher = Batcher(client, BUDGET)
        await batcher.page(PACKAGE, limit=1, offset=0)
        ids = list(range(HIGH, HIGH + 1300, 13))
        found = await batcher.fetch(PACKAGE, ids)
        await batcher.aclose()
    assert all(not isinstance(found[id], Exception) and found[id] is not None for id in ids)
    assert high_ids.requests.total <= 1 + len(ids)


async def test_one_record_with_a_wrong_id_takes_no_page_along() -> None:
    embedded = EmbeddedUpstream(packages=300)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)

    async with httpx.AsyncClient(transport=in_process(embedded), base_url=UPSTREAM_URL) as http:
        page: dict[str, Any] = (await http.get("packages/?limit=10")).json()
    page["results"][0]["id"] = 3
    body = msgspec.json.encode(page)
    client = Client(UPSTREAM_URL, httpx.MockTransport(answer), CLIENT_LIMITS)
    assert len((await client.page(PACKAGE, limit=10)).records) == 10
    await client.aclose()


class Waiting:
    """An upstream that answers the first request and none after it."""

    def __init__(self, embedded: EmbeddedUpstream) -> None:
        self._embedded = embedded
        self._answered = False

    async def __call__(self, *exchange: Any) -> None:
        if self._answered:
            await asyncio.Event().wait()
        self._answered = True
        await self._embedded(*exchange)


def _offset(target: str) -> int:
    return int(target.rpartition("=")[2])
