"""Tests Relay connections with keyset cursors: exact in both directions, and clear about wrong arguments."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

PAGE = """
query($first: Int, $after: String, $last: Int, $before: String) {
  packages(first: $first, after: $after, last: $last, before: $before) {
    totalCount
    edges { cursor node { databaseId } }
    nodes { databaseId }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


def b64(text: bytes) -> str:
    return urlsafe_b64encode(text).decode()


@pytest.fixture
def newest_first(embedded: EmbeddedUpstream) -> list[int]:
    return sorted(embedded.catalog.packages, reverse=True)


async def page(ask: Ask, **arguments: object) -> dict[str, Any]:
    body = await ask(PAGE, **arguments)
    assert "errors" not in body
    connection: dict[str, Any] = body["data"]["packages"]
    return connection


def ids(connection: dict[str, Any]) -> list[int]:
    found = [edge["node"]["databaseId"] for edge in connection["edges"]]
    assert found == [node["databaseId"] for node in connection["nodes"]]
    return found


def more(connection: dict[str, Any]) -> tuple[bool, bool]:
    info = connection["pageInfo"]
    return info["hasPreviousPage"], info["hasNextPage"]


async def test_the_first_page_has_twenty_and_the_count(ask_catalog: Ask, newest_first: list[int]) -> None:
    connection = await page(ask_catalog)
    assert ids(connection) == newest_first[:20]
    assert connection["totalCount"] == len(newest_first)
    assert more(connection) == (False, True)


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_paging_forwards_meets_every_record_once(
    ask_catalog: Ask, newest_first: list[int], size: int
) -> None:
    seen: list[int] = []
    after = None
    while True:
        connection = await page(ask_catalog, first=size, after=after)
        assert more(connection)[0] == bool(seen)
        seen += ids(connection)
        if not more(connection)[1] or len(seen) > 40 * size:
            break
        after = connection["pageInfo"]["endCursor"]
    assert seen == newest_first[: len(seen)]
    assert len(seen) == min(len(newest_first), 41 * size)


async def test_paging_backwards_meets_every_record_once(ask_catalog: Ask, newest_first: list[int]) -> None:
    seen: list[int] = []
    before = None
    while True:
        connection = await page(ask_catalog, last=90, before=before)
        assert more(connection)[1] == bool(seen)
        seen = ids(connection) + seen
        if not more(connection)[0]:
            break
        before = connection["pageInfo"]["startCursor"]
    assert seen == newest_first


async def test_after_and_before_bound_the_page_from_both_sides(
    ask_catalog: Ask, newest_first: list[int]
) -> None:
    cursors = [edge["cursor"] for edge in (await page(ask_catalog, first=10))["edges"]]
    between = await page(ask_catalog, first=50, after=cursors[2], before=cursors[6])
    assert ids(between) == newest_first[3:6]
    assert more(between) == (True, True)
    assert ids(await page(ask_catalog, last=2, after=cursors[2], before=cursors[6])) == newest_first[4:6]
    assert ids(await page(ask_catalog, first=5, after=cursors[6], before=cursors[2])) == []


async def test_an_empty_page_still_counts(ask_catalog: Ask, newest_first: list[int]) -> None:
    for arguments in ({"first": 0}, {"last": 0}):
        connection = await page(ask_catalog, **arguments)
        assert ids(connection) == []
        assert connection["totalCount"] == len(newest_first)
        assert connection["pageInfo"]["startCursor"] is None
    assert more(await page(ask_catalog, first=0)) == (False, True)


async def test_a_page_behind_the_end_is_empty(ask_catalog: Ask, newest_first: list[int]) -> None:
    oldest = (await page(ask_catalog, last=1))["pageInfo"]["endCursor"]
    behind = await page(ask_catalog, first=5, after=oldest)
    assert ids(behind) == []
    assert more(behind) == (True, False)


async def test_a_cursor_outlives_its_record_and_those_around_it(
    source: CatalogSource, embedded: EmbeddedUpstream, ask_catalog: Ask, newest_first: list[int]
) -> None:
    cursors = [edge["cursor"] for edge in (await page(ask_catalog, first=10))["edges"]]
    for gone in newest_first[3:5]:
        embedded.catalog.remove_package(gone)
    embedded.catalog.insert_package()
    await source.crawl()
    assert ids(await page(ask_catalog, first=3, after=cursors[4])) == newest_first[5:8]
    assert ids(await page(ask_catalog, last=2, before=cursors[3])) == newest_first[1:3]


async def test_a_list_from_the_catalog_asks_upstream_for_nothing(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    await page(ask_catalog, first=100)
    await page(ask_catalog, last=5)
    assert embedded.requests.total == 0


@pytest.mark.parametrize("field", ["packages", "grids"])
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("first: -1", "{field}(first:) is -1; it can be 0 to 100."),
        ("first: 101", "{field}(first:) is 101; it can be 0 to 100."),
        ("last: -1", "{field}(last:) is -1; it can be 0 to 100."),
        ("last: 101", "{field}(last:) is 101; it can be 0 to 100."),
        ("first: 1, last: 1", "{field} takes first or last, not both."),
    ],
)
async def test_a_wrong_page_size_is_a_sentence(
    ask_catalog: Ask, embedded: EmbeddedUpstream, field: str, arguments: str, sentence: str
) -> None:
    body = await ask_catalog(f"{{ {field}({arguments}) {{ totalCount }} }}")
    (error,) = body["errors"]
    assert error["message"] == sentence.format(field=field)
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert body["data"] == {field: None}
    assert embedded.requests.total == 0


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "abc",
        "=====",
        "é",
        "\U0001f40d",
        b64(b"\xff\xfe"),
        b64(b"[]"),
        b64(b'[1,"newest first",null]'),
        b64(b'[1,"newest first",null,"a"]'),
        b64(b'[1,"newest first",5,1599]'),
        b64(b'[2,"newest first",null,1599]'),
        b64(b"[" * 5000),
        b64(b"arrayconnection:3"),
        b64(b'[1,"newest first",null,1599]') + "\n",
        "W" * 10_000,
    ],
)
@pytest.mark.parametrize("argument", ["after", "before"])
async def test_a_malformed_cursor_is_a_sentence(ask_catalog: Ask, argument: str, cursor: str) -> None:
    body = await ask_catalog(PAGE, **{argument: cursor})
    (error,) = body["errors"]
    assert error["message"] == (
        f"packages({argument}:) is not a cursor of this list; take one from an edge or pageInfo."
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_a_cursor_of_another_order_is_a_sentence(ask_catalog: Ask) -> None:
    query = (
        "query($after: String) { packages(orderBy: %s, first: 1, after: $after) { pageInfo { endCursor } } }"
    )
    cursor = (await ask_catalog(query % "STARS_DESC"))["data"]["packages"]["pageInfo"]["endCursor"]
    for order, name in (("STARS_ASC", "stars ascending"), ("TITLE_DESC", "title descending")):
        (error,) = (await ask_catalog(query % order, after=cursor))["errors"]
        assert error["message"] == (
            f"packages(after:) is a cursor of another sort order (stars descending); this list is in order of {name}."
        )
