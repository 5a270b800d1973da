"""Relay connections over limit and offset: exact in both directions, and clear about wrong arguments."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from upstream.embedded import BadField, EmbeddedUpstream, Fault

if TYPE_CHECKING:
    from tests.conftest import Ask

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


@pytest.fixture
def newest_first(embedded: EmbeddedUpstream) -> list[int]:
    return sorted(embedded.catalogue.packages, reverse=True)


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


async def test_the_first_page_has_twenty_and_the_count(ask: Ask, newest_first: list[int]) -> None:
    connection = await page(ask)
    assert ids(connection) == newest_first[:20]
    assert connection["totalCount"] == len(newest_first)
    assert more(connection) == (False, True)


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_paging_forwards_meets_every_record_once(ask: Ask, newest_first: list[int], size: int) -> None:
    seen: list[int] = []
    after = None
    while True:
        connection = await page(ask, first=size, after=after)
        assert more(connection)[0] == bool(seen)
        seen += ids(connection)
        if not more(connection)[1] or len(seen) > 40 * size:
            break
        after = connection["pageInfo"]["endCursor"]
    assert seen == newest_first[: len(seen)]
    assert len(seen) == min(len(newest_first), 41 * size)


async def test_paging_backwards_meets_every_record_once(ask: Ask, newest_first: list[int]) -> None:
    seen: list[int] = []
    before = None
    while True:
        connection = await page(ask, last=90, before=before)
        assert more(connection)[1] == bool(seen)
        seen = ids(connection) + seen
        if not more(connection)[0]:
            break
        before = connection["pageInfo"]["startCursor"]
    assert seen == newest_first


async def test_after_and_before_bound_the_page_from_both_sides(ask: Ask, newest_first: list[int]) -> None:
    cursors = [edge["cursor"] for edge in (await page(ask, first=10))["edges"]]
    between = await page(ask, first=50, after=cursors[2], before=cursors[6])
    assert ids(between) == newest_first[3:6]
    assert more(between) == (True, True)
    assert ids(await page(ask, last=2, after=cursors[2], before=cursors[6])) == newest_first[4:6]
    assert ids(await page(ask, first=5, after=cursors[6], before=cursors[2])) == []


async def test_an_empty_page_still_counts(ask: Ask, newest_first: list[int]) -> None:
    for arguments in ({"first": 0}, {"last": 0}):
        connection = await page(ask, **arguments)
        assert ids(connection) == []
        assert connection["totalCount"] == len(newest_first)
        assert connection["pageInfo"]["startCursor"] is None
    assert more(await page(ask, first=0)) == (False, True)


async def test_a_page_behind_the_end_is_empty(ask: Ask, newest_first: list[int]) -> None:
    beyond = b64encode(b"offset:999999").decode()
    connection = await page(ask, first=5, after=beyond)
    assert ids(connection) == []
    assert more(connection) == (True, False)
    assert ids(await page(ask, last=3, before=beyond))[-3:] == newest_first[-3:]


async def test_each_page_is_one_request(ask: Ask, embedded: EmbeddedUpstream) -> None:
    # The last of them knows the length of the list from the one before.
    for arguments, requests in [({"first": 100}, 1), ({"last": 5}, 2), ({"last": 7}, 1)]:
        embedded.requests.reset()
        await page(ask, **arguments)
        assert embedded.requests.total == requests


async def test_equal_pages_of_one_query_are_asked_once(ask: Ask, embedded: EmbeddedUpstream) -> None:
    await ask("{ a: packages(first: 3) { totalCount } b: packages(first: 3) { nodes { title } } }")
    assert embedded.requests.total == 1


async def test_a_bad_record_is_one_null_at_its_place(
    ask: Ask, embedded: EmbeddedUpstream, newest_first: list[int]
) -> None:
    embedded.faults.add(Fault(BadField(newest_first[1], "title", None)))
    body = await ask("{ packages(first: 3) { nodes { databaseId } } }")
    assert body["data"]["packages"]["nodes"] == [
        {"databaseId": newest_first[0]},
        None,
        {"databaseId": newest_first[2]},
    ]
    (error,) = body["errors"]
    assert error["path"] == ["packages", "nodes", 1]
    assert error["extensions"] == {"code": "UPSTREAM_BAD_DATA"}


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
    ask: Ask, embedded: EmbeddedUpstream, field: str, arguments: str, sentence: str
) -> None:
    body = await ask(f"{{ {field}({arguments}) {{ totalCount }} }}")
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
        b64encode(b"\xff\xfe").decode(),
        b64encode(b"offset:").decode(),
        b64encode(b"offset:-1").decode(),
        b64encode(b"offset:007").decode(),
        b64encode(b"offset:" + b"9" * 5000).decode(),
        b64encode(b"arrayconnection:3").decode(),
        b64encode(b"offset:3").decode() + "\n",
        "b2Zmc2V0OjM" + "A" * 10_000,
    ],
)
@pytest.mark.parametrize("argument", ["after", "before"])
async def test_a_malformed_cursor_is_a_sentence(ask: Ask, argument: str, cursor: str) -> None:
    body = await ask(PAGE, **{argument: cursor})
    (error,) = body["errors"]
    assert error["message"] == (
        f"packages({argument}:) is no cursor of this list; take one from an edge or pageInfo."
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
