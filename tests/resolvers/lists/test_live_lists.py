"""Lists while there is no catalog: the first page comes from upstream, the rest needs the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from upstream.embedded import BadField, EmbeddedUpstream, Fault

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


@pytest.fixture
def newest_first(embedded: EmbeddedUpstream) -> list[int]:
    return sorted(embedded.catalog.packages, reverse=True)


async def test_the_first_page_is_one_request(
    ask: Ask, embedded: EmbeddedUpstream, newest_first: list[int]
) -> None:
    body = await ask("{ packages(first: 3) { totalCount nodes { databaseId } pageInfo { hasNextPage } } }")
    assert body["data"]["packages"] == {
        "totalCount": len(newest_first),
        "nodes": [{"databaseId": id} for id in newest_first[:3]],
        "pageInfo": {"hasNextPage": True},
    }
    assert embedded.requests.total == 1


async def test_equal_pages_of_one_query_are_asked_once(ask: Ask, embedded: EmbeddedUpstream) -> None:
    await ask("{ a: packages(first: 3) { totalCount } b: packages(first: 3) { nodes { title } } }")
    assert embedded.requests.total == 1


async def test_a_cursor_of_a_live_page_goes_on_in_the_catalog(
    ask: Ask, ask_catalog: Ask, newest_first: list[int]
) -> None:
    query = (
        "query($after: String) { packages(first: 2, after: $after)"
        " { nodes { databaseId } pageInfo { endCursor } } }"
    )
    first = (await ask(query))["data"]["packages"]
    second = (await ask_catalog(query, after=first["pageInfo"]["endCursor"]))["data"]["packages"]
    assert [node["databaseId"] for node in second["nodes"]] == newest_first[2:4]


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


@pytest.mark.parametrize(
    "field",
    [
        "packages(last: 1) { totalCount }",
        "packages(orderBy: STARS_DESC) { totalCount }",
        "packages(filter: {}) { totalCount }",
        'package(pypiName: "x") { slug }',
        "stats { packageCount }",
        "contributors { totalCount }",
    ],
)
async def test_what_needs_the_catalog_says_so(ask: Ask, embedded: EmbeddedUpstream, field: str) -> None:
    body = await ask(f"{{ {field} }}")
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}
    assert error["message"] == "This needs the whole catalog, which this gateway does not have."
    assert embedded.requests.total == 0
