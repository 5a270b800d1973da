"""Tests the method QUERY (RFC 10008): a POST that is safe, so that caches and clients may use its answer again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support.crawled_gateway import QUERY, app, http
from tests.support.graphql_over_http import ACCEPTS, G, J, Row, send
from tests.support.streaming_gateway import Served, http_client
from tests.web.conftest import in_the_loop_of_the_file
from web.app import GatewayApp

__all__ = ["app", "http"]

BODY = json.dumps({"query": QUERY})
JSON = {"Content-Type": J}


async def query(http: httpx.AsyncClient, body: str = BODY, **headers: str) -> httpx.Response:
    return await http.request("QUERY", "/graphql", content=body, headers=JSON | headers)


async def test_q1_a_query_is_answered_as_a_post_is(http: httpx.AsyncClient) -> None:
    for accept in ACCEPTS:
        asked = Row("Q1", 200, G if accept == G else J, BODY, method="QUERY", accept=accept)
        answer = await send(http, asked)
        posted = await send(http, Row("Q1", 200, asked.type, BODY, accept=accept))
        assert answer.content == posted.content
        assert answer.headers == posted.headers


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ('{"qeury":1}', 422),
        ('{"query":"{nope}"}', 422),
        ('{"query":"mutation{__typename}"}', 422),
    ],
)
async def test_q1_a_query_is_refused_as_a_post_is(
    shared_http: httpx.AsyncClient, body: str, status: int
) -> None:
    response = await send(shared_http, Row("Q1", status, G, body, method="QUERY"))
    posted = await send(shared_http, Row("Q1", status, G, body))
    assert (response.content, response.headers["Cache-Control"]) == (posted.content, "no-store")


@in_the_loop_of_the_file
async def test_a_query_without_a_content_type_or_of_another_is_told_which_one_is_taken(
    shared_http: httpx.AsyncClient,
) -> None:
    for content_type in ("", "application/graphql", "application/json; charset=utf-16"):
        row = Row("type", 415, G, BODY, method="QUERY", content_type=content_type)
        assert (await send(shared_http, row)).headers["Accept-Query"] == '"application/json"'


@in_the_loop_of_the_file
async def test_who_asks_for_the_methods_or_tries_another_learns_of_query(
    shared_http: httpx.AsyncClient,
) -> None:
    for response in (await shared_http.options("/graphql"), await shared_http.put("/graphql", content=BODY)):
        assert response.headers["Allow"] == "GET, HEAD, POST, QUERY, OPTIONS"
        assert response.headers["Accept-Query"] == '"application/json"'


async def test_who_has_the_answer_is_told_so(http: httpx.AsyncClient) -> None:
    first = await query(http)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"].startswith("public, max-age=")
    for asked in (tag, f"W/{tag}", "*"):
        response = await query(http, **{"If-None-Match": asked})
        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)
        assert response.headers["Vary"] == first.headers["Vary"]
    assert (await query(http, **{"If-None-Match": '"another"'})).status_code == 200


async def test_the_tag_is_that_of_a_get_of_the_same_operation(http: httpx.AsyncClient) -> None:
    got = await http.get("/graphql", params={"query": QUERY})
    assert (await query(http)).headers["ETag"] == got.headers["ETag"]
    other = json.dumps({"query": QUERY.replace("title", "slug")})
    assert (await query(http, other)).headers["ETag"] != got.headers["ETag"]


async def test_one_answer_is_run_once_for_query_post_and_get_and_found_by_its_bytes(
    http: httpx.AsyncClient, app: GatewayApp
) -> None:
    engine, responses = app.parts.gateway.engine, app.parts.responses
    assert engine is not None
    await query(http)
    assert (engine.answered, responses.found) == (1, 0)
    await query(http)
    assert (engine.answered, responses.found) == (1, 1)
    await http.post("/graphql", content=BODY, headers=JSON)
    await http.get("/graphql", params={"query": QUERY})
    assert (engine.answered, responses.found) == (1, 1)
    # Its body is part of what it is found by.
    other: Any = await query(http, json.dumps({"query": "{__typename}"}))
    assert other.json() == {"data": {"__typename": "Query"}}


async def test_over_a_port_a_query_is_answered_in_events_too(gateway: Served) -> None:
    async with http_client(gateway) as http:
        assert (await query(http)).json()["data"]["package"]["title"]
        body = '{"query":"{__typename}"}'
        response = await query(http, body, Accept="text/event-stream")
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.text.startswith("event: next\r\n")
