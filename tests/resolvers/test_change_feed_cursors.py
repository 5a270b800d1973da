"""Tests cursors of the change feed: which are refused and how, and what those who follow it are told when it ends."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from catalog.catalog_source import CatalogSource
from catalog.history.change_feed import FeedEntry, FeedReplaced
from tests.support.gateway_in_process import asking, source_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.stored_catalogs import change
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

PAGE = """query($since: String) { changes(since: $since) {
    nodes { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
ANEW = "take catalog { changesCursor }, read the records again, and continue from there."


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return generated_upstream(20)


async def refusal(ask: Ask, since: str) -> str:
    body = await ask("query($since: String) { changes(since: $since) { totalCount } }", since=since)
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert body["data"] == {"changes": None}
    message: str = error["message"]
    return message


def written(layout: object, feed: object, place: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode((layout, feed, place))).decode().rstrip("=")


def feed_of(cursor: str) -> str:
    _layout, feed, _place = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert isinstance(feed, str)
    return feed


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "\ud800",
        "\x00",
        "A" * 10_000,
        written(2, "feed", 1),
        written(1, "feed", -1),
        written(1, "feed", 2**63),
        written(1, "feed", "1"),
        written(1, "feed", True),
        written(1, 7, 1),
        written(1, "feed", 1) + "=",
        urlsafe_b64encode(b'[1, "feed", 1]').decode().rstrip("="),
        urlsafe_b64encode(b"[" * 100).decode().rstrip("="),
    ],
)
async def test_what_is_no_cursor_is_refused(ask: Ask, cursor: str) -> None:
    sentence = "changes(since:) is not a cursor of the change feed; take one from changes."
    assert await refusal(ask, cursor) == sentence


async def test_a_cursor_of_another_feed_is_refused(source: CatalogSource) -> None:
    await source.crawl()
    ask = asking(source)
    feed = feed_of((await ask(PAGE))["data"]["changes"]["pageInfo"]["endCursor"])
    for foreign in (written(1, "other", 0), written(1, "", 0), written(1, feed, 1)):
        assert await refusal(ask, foreign) == f"changes(since:) is a cursor of another feed; {ANEW}"


async def test_a_cursor_of_a_list_of_packages_is_refused(ask_catalog: Ask) -> None:
    body = await ask_catalog("{ packages(first: 1) { pageInfo { endCursor } } }")
    cursor = body["data"]["packages"]["pageInfo"]["endCursor"]
    assert "is not a cursor of the change feed" in await refusal(ask_catalog, cursor)


def source_on(path: Path, embedded: EmbeddedUpstream) -> AbstractAsyncContextManager[CatalogSource]:
    return source_over(embedded, storage=str(path))


async def test_a_cursor_that_is_too_old_is_refused(embedded: EmbeddedUpstream, tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    async with source_on(path, embedded) as source:
        await source.crawl()
        ask = asking(source)
        start = (await ask(PAGE))["data"]["changes"]["pageInfo"]["endCursor"]
        embedded.catalog.update_package(1599, title="second")
        await source.crawl()
        change(path, "UPDATE changes SET at = '2020-01-01T00:00:00+00:00'")
        embedded.catalog.update_package(1599, title="third")
        await source.crawl()
        sentence = await refusal(ask, start)
        assert sentence == f"changes(since:) is older than the 30 days that the feed keeps; {ANEW}"
        # Who asks for all that is kept gets it.
        page = (await ask(PAGE))["data"]["changes"]
        assert page["nodes"]
        assert not page["pageInfo"]["hasPreviousPage"]


async def test_a_process_tells_nothing_newer_than_the_catalog_it_has(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    path = tmp_path / "catalog.sqlite"
    async with source_on(path, embedded) as crawler:
        await crawler.crawl()
        async with source_on(path, embedded) as reader:
            embedded.catalog.insert_package(slug="brand-new")
            await crawler.crawl()
            told = await crawler.changes(0, 100)
            assert told.entries
            assert (await reader.changes(0, 100)).entries == ()
            # Who comes with a cursor of the other process waits for nothing, and misses nothing.
            (end,) = (await asking(crawler)("{ catalog { changesCursor } }"))["data"]["catalog"].values()
            page = (await asking(reader)(PAGE, since=end))["data"]["changes"]
            assert (page["nodes"], page["pageInfo"]["endCursor"]) == ([], end)
            await reader.publisher.load()
            assert await reader.changes(0, 100) == told


async def test_who_follows_a_feed_is_told_when_it_is_another(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    path = tmp_path / "catalog.sqlite"
    async with source_on(path, embedded) as source:
        await source.crawl()
        feed = (await source.changes(0, 0)).feed
        waiting: asyncio.Future[FeedEntry] = asyncio.ensure_future(anext(source.follow_changes(feed, 0)))
        path.unlink()
        await source.crawl()
        with pytest.raises(FeedReplaced):
            await waiting
