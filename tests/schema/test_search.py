"""Tests the arguments and types of a search: clear sentences for what makes no sense, v4's own fields in the hits."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from schema import schema
from upstream.client.v4_records import SearchHitRecord
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

QUERY = """
query($text: String!, $first: Int, $after: String) {
  search(query: $text, first: $first, after: $after) {
    totalCount answeredBy reason edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""
NO_CURSOR = "search(after:) is not a cursor of a search; take one from an edge or pageInfo."
OTHER_QUERY = "search(after:) is a cursor of another search; begin without a cursor."


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


async def sentence(ask: Ask, **arguments: object) -> str:
    body = await ask(QUERY, **arguments)
    assert body["data"] == {"search": None}
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    message: str = error["message"]
    return message


async def test_a_hit_is_upstreams_own_row(
    ask_catalog: Ask, embedded: EmbeddedUpstream, http: httpx.AsyncClient
) -> None:
    fields = {camel(name): name for name in SearchHitRecord.__struct_fields__}
    assert len(fields) == 20
    body = await ask_catalog(f'{{ search(query: "email") {{ edges {{ hit {{ {" ".join(fields)} }} }} }} }}')
    async with httpx.AsyncClient(transport=httpx.ASGITransport(embedded)) as client:
        hits = (await client.get("http://upstream.test/api/v4/search/?q=email")).json()
    shown = [edge["hit"] for edge in body["data"]["search"]["edges"]]
    assert shown == [{field: hit[name] for field, name in fields.items()} for hit in hits]
    assert {hit["itemType"] for hit in shown} == {"package", "grid"}


def test_everything_of_a_search_is_described() -> None:
    types: dict[str, Any] = schema._schema.type_map
    for name in ("SearchConnection", "SearchEdge", "SearchHit", "SearchResult", "SearchAnswerer"):
        assert types[name].description
        for member in {**getattr(types[name], "fields", {}), **getattr(types[name], "values", {})}.values():
            assert member.description
    assert all(argument.description for argument in types["Query"].fields["search"].args.values())


@pytest.mark.parametrize("query", ["", " ", "\n\t \u3000", " " * 200])
async def test_a_blank_query_finds_nothing_without_a_request(
    ask: Ask, embedded: EmbeddedUpstream, query: str
) -> None:
    body = await ask(QUERY, text=query)
    assert body["data"]["search"] == {
        "totalCount": 0,
        "answeredBy": "CATALOG",
        "reason": "The query is blank, so there was no search.",
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "endCursor": None},
    }
    assert embedded.requests.total == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("x" * 10_000, "search(query:) has 10,000 characters; it can have up to 200."),
        (" " * 201, "search(query:) has 201 characters; it can have up to 200."),
        ("a " * 21, "search(query:) has 21 words; it can have up to 20."),
        ("a.b-" * 20, "search(query:) has 40 words; it can have up to 20."),
        ("a\0", "search(query:) has a NUL character, which is not allowed."),
        ("a\ud800", "search(query:) has half of a surrogate pair, which is not a character."),
        ("\udfff\ud83d", "search(query:) has half of a surrogate pair, which is not a character."),
    ],
)
async def test_a_query_that_cannot_be_looked_for_is_a_sentence(
    ask: Ask, embedded: EmbeddedUpstream, query: str, message: str
) -> None:
    assert await sentence(ask, text=query) == message
    assert embedded.requests.total == 0


@pytest.mark.parametrize(
    "query",
    ['"', "((((", "a AND", "title:x", "NEAR(a b)", "*", "🦄", "a" * 199, "x " * 20, "'; --", "%00&q=a#",
     "\u202e", "\x01"],
)  # fmt: skip
async def test_odd_queries_are_answered_by_either(
    ask_catalog: Ask, embedded: EmbeddedUpstream, query: str
) -> None:
    assert "errors" not in await ask_catalog(QUERY, text=query)
    assert embedded.requests.total == 1
    embedded.faults.state = "down"
    body = await ask_catalog(QUERY, text=query + " ", first=21)
    assert body["data"]["search"]["answeredBy"] == "CATALOG"


@pytest.mark.parametrize("first", [-1, 101])
async def test_a_wrong_page_size_is_a_sentence(ask: Ask, first: int) -> None:
    message = await sentence(ask, text="a", first=first)
    assert message == f"search(first:) is {first}; it can be 0 to 100."


async def test_an_empty_page_says_that_there_is_more(ask_catalog: Ask) -> None:
    body = await ask_catalog(QUERY, text="django", first=0)
    assert body["data"]["search"]["edges"] == []
    assert body["data"]["search"]["pageInfo"]["hasNextPage"]


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "====",
        "é",
        "\ud800",
        "A" * 10_000,
        cursor('[1,"newest first",null,5]'),
        cursor("[]"),
        cursor('[2,"x",["package","a",0],null]'),
        cursor('[1,"x",null,null]'),
        cursor('[1,"x",["package","a",0],["package",1,0.5]]'),
        cursor('[1,"x",["package",7,0],null]'),
        cursor('[1,"x",["package","a",0],null,1]'),
        cursor("[" * 300),
    ],
)
async def test_a_malformed_cursor_is_a_sentence(ask: Ask, embedded: EmbeddedUpstream, after: str) -> None:
    assert await sentence(ask, text="a", after=after) == NO_CURSOR
    assert embedded.requests.total == 0


async def test_a_cursor_of_another_list_or_query_is_refused(ask_catalog: Ask) -> None:
    packages = await ask_catalog("{ packages(first: 1) { pageInfo { endCursor } } }")
    after = packages["data"]["packages"]["pageInfo"]["endCursor"]
    assert await sentence(ask_catalog, text="email", after=after) == NO_CURSOR
    for first in (1, 21):
        found = await ask_catalog(QUERY, text="email", first=first)
        after = found["data"]["search"]["edges"][0]["cursor"]
        assert await sentence(ask_catalog, text="celery", after=after) == OTHER_QUERY
        assert await sentence(ask_catalog, text=" ", after=after) == OTHER_QUERY
        # Blanks do not make another query.
        assert "errors" not in await ask_catalog(QUERY, text=" email\n", after=after)


async def test_wild_numbers_in_a_cursor_do_no_harm(ask_catalog: Ask) -> None:
    digest = sha256(b"django").hexdigest()[:12]
    for place in ('["package","gone",99999999999999999999999]', '["package","gone",-5]'):
        body = await ask_catalog(QUERY, text="django", after=cursor(f'[1,"{digest}",{place},null]'))
        assert body["data"]["search"]["answeredBy"] == "UPSTREAM"
    for place in ('["package",-1,1e308]', '["x",1e3,-1e308]', '["grid",99999999999999999999999,0]'):
        body = await ask_catalog(QUERY, text="django", after=cursor(f'[1,"{digest}",null,{place}]'))
        assert "errors" not in body or body["errors"][0]["message"] == NO_CURSOR
