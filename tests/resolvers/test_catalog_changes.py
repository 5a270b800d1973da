"""Tests the change feed as clients read it: pages, cursors, and the sentences of those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

EVENT = "cursor action type databaseId slug at catalogVersion fields { name old new }"
PAGE = f"""query($since: String, $first: Int) {{ changes(since: $since, first: $first) {{
    totalCount nodes {{ {EVENT} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
STATUS = "catalog { changesCursor }"
ANEW = "take catalog { changesCursor }, read the records again, and continue from there."

Read = Callable[..., Any]


@pytest.fixture
def embedded(few_embedded: EmbeddedUpstream) -> EmbeddedUpstream:
    return few_embedded


@pytest.fixture
def read(few_known: CatalogSource, ask: Ask) -> Read:
    """Reads a page, when a first catalog is stored."""

    async def read(since: str | None = None, first: int | None = None) -> Any:
        body = await ask(PAGE, since=since, first=first)
        assert "errors" not in body, body
        return body["data"]["changes"]

    return read


async def test_before_the_first_catalog_that_is_an_error_at_its_place(ask: Ask) -> None:
    body = await ask(f"{{ changes {{ totalCount }} {STATUS} }}")
    (error,) = body["errors"]
    assert body["data"] == {"changes": None, "catalog": {"changesCursor": None}}
    assert error["path"] == ["changes"]
    assert error["extensions"] == {"code": "STORAGE_UNAVAILABLE"}
    assert error["message"] == (
        "The gateway has stored no catalog yet, so it knows of no changes. Try again in a moment."
    )


async def test_a_crawl_tells_what_came_what_changed_and_what_is_gone(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    added = embedded.catalog.insert_package(slug="brand-new")
    embedded.catalog.update_package(1599, repo_watchers=77, title="renamed")
    embedded.catalog.remove_package(gone := min(embedded.catalog.packages))
    await source.crawl()
    events = {edge["databaseId"]: edge for edge in (await read())["nodes"]}
    version = (await ask("{ catalog { version } }"))["data"]["catalog"]["version"]
    assert {event["catalogVersion"] for event in events.values()} == {version}
    assert events[added]["action"] == "ADDED"
    assert (events[added]["slug"], events[added]["type"], events[added]["fields"]) == (
        "brand-new",
        "PACKAGE",
        [],
    )
    assert events[gone]["action"] == "REMOVED"
    assert events[1599]["action"] == "CHANGED"
    fields = {field["name"]: (field["old"], field["new"]) for field in events[1599]["fields"]}
    assert fields["title"] == ("django-celery-email", "renamed")
    assert fields["repoWatchers"][1] == 77


async def test_every_name_of_a_field_is_one_of_this_graph(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    every = {
        "title": "t",
        "slug": "s",
        "last_updated": None,
        "repo_description": "d",
        "documentation_url": "http://d.test/",
        "pypi_version": "9",
        "repo_forks": 3,
    }
    embedded.catalog.update_package(1599, **every)
    await source.crawl()
    (event,) = [edge for edge in (await read())["nodes"] if edge["type"] == "PACKAGE"]
    names = [field["name"] for field in event["fields"]]
    known = (await ask('{ __type(name: "Package") { fields { name } } }'))["data"]["__type"]["fields"]
    assert len(names) >= len(every) - 1
    assert set(names) <= {field["name"] for field in known}


async def test_the_record_of_an_event_is_the_one_of_now(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    for title in ("second", "third"):
        embedded.catalog.update_package(1599, title=title)
        await source.crawl()
    embedded.requests.reset()
    body = await ask(
        "{ changes { nodes { slug node { id ... on Package { title category { slug } } ... on Grid { title } } } } }"
    )
    packages = [each for each in body["data"]["changes"]["nodes"] if each["slug"] == "django-celery-email"]
    assert [each["node"]["title"] for each in packages] == ["third", "third"]
    assert embedded.requests.total == 0


async def test_what_is_gone_has_no_record(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    embedded.catalog.update_package(1599, title="second")
    await source.crawl()
    embedded.catalog.remove_package(1599)
    await source.crawl()
    body = await ask("{ changes { nodes { action databaseId node { id } } } }")
    told = [each for each in body["data"]["changes"]["nodes"] if each["databaseId"] == 1599]
    assert told == [
        {"action": "CHANGED", "databaseId": 1599, "node": None},
        {"action": "REMOVED", "databaseId": 1599, "node": None},
    ]


async def test_the_old_name_of_the_action_says_the_same(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    embedded.catalog.update_package(1599, title="second")
    await source.crawl()
    body = await ask("{ changes { nodes { action sort } } }")
    assert body["data"]["changes"]["nodes"] == [{"action": "CHANGED", "sort": "CHANGED"}]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_paging_through_meets_each_event_once(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, size: int
) -> None:
    for title in ("second", "third"):
        for id in sorted(embedded.catalog.packages)[:4]:
            embedded.catalog.update_package(id, title=title)
        await source.crawl()
    everything = (await read(first=100))["nodes"]
    assert len(everything) >= 8
    met: list[Any] = []
    since = None
    while True:
        page = await read(since, size)
        assert page["totalCount"] == len(everything) - len(met)
        assert page["pageInfo"]["hasPreviousPage"] == bool(met)
        assert page["pageInfo"]["startCursor"] == page["nodes"][0]["cursor"]
        assert page["pageInfo"]["endCursor"] == page["nodes"][-1]["cursor"]
        met += page["nodes"]
        since = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert met == everything
    assert all(edge["cursor"] == edge["cursor"] for edge in met)


async def test_where_nothing_is_new_the_cursor_is_good_for_the_next_time(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    first = await read()
    assert (first["nodes"], first["totalCount"]) == ([], 0)
    cursor = first["pageInfo"]["endCursor"]
    assert (await ask("{ catalog { changesCursor } }"))["data"]["catalog"]["changesCursor"] == cursor
    again = await read(cursor)
    assert again["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": cursor,
    }
    embedded.catalog.update_package(1599, title="second")
    await source.crawl()
    assert {edge["slug"] for edge in (await read(cursor))["nodes"]} == {"django-celery-email"}


async def test_a_page_of_none_goes_on_where_it_was_asked(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read
) -> None:
    embedded.catalog.update_package(1599, title="second")
    await source.crawl()
    page = await read(first=0)
    assert (page["nodes"], page["pageInfo"]["hasNextPage"]) == ([], True)
    assert (await read(page["pageInfo"]["endCursor"]))["nodes"] == (await read())["nodes"]


async def test_the_cursor_of_the_catalog_is_the_end_of_the_feed(
    source: CatalogSource, embedded: EmbeddedUpstream, read: Read, ask: Ask
) -> None:
    embedded.catalog.update_package(1599, title="second")
    await source.crawl()
    cursor = (await ask("{ catalog { changesCursor } }"))["data"]["catalog"]["changesCursor"]
    assert (await read())["pageInfo"]["endCursor"] == cursor
    assert (await read(cursor))["nodes"] == []


@pytest.mark.parametrize(
    ("first", "sentence"), [(-1, "-1; it can be 0 to 100"), (101, "101; it can be 0 to 100")]
)
async def test_a_page_size_out_of_range_is_refused(ask: Ask, first: int, sentence: str) -> None:
    body = await ask(PAGE, first=first)
    assert body["errors"][0]["message"] == f"changes(first:) is {sentence}."
