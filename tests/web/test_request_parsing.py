"""Tests the corners of GraphQL over HTTP: methods, types, lengths, marks, doubles, several requests in one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from gateway.document_cache import DocumentCache
from tests.support.crawled_gateway import app, http
from tests.support.gateway_in_process import app_over
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from tests.support.trusted_documents import documents_of
from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream
from web.app import MAX_HEADER_BYTES, MAX_HEADERS
from web.client_disconnects import ClientLeft
from web.request_body import read_body
from web.request_parsing import BadRequest, HttpRequest, read_post

__all__ = ["app", "http"]

QUERY = '{ category(slug: "apps") { title } }'
TITLE = {"data": {"category": {"title": "Apps"}}}
JSON = {"Content-Type": "application/json"}


def message(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    sentence: str = error["message"]
    return sentence


async def test_head_is_like_get_without_a_body(http: httpx.AsyncClient) -> None:
    got = await http.get("/graphql", params={"query": QUERY})
    head = await http.head("/graphql", params={"query": QUERY})
    assert head.status_code == 200
    assert head.headers == got.headers


@in_the_loop_of_the_file
@pytest.mark.parametrize("accept", ["text/plain", "image/*", "application/json;q=0", "text/event-stream;q=0"])
async def test_a_client_that_takes_no_answer_gets_a_406(shared_http: httpx.AsyncClient, accept: str) -> None:
    response = await shared_http.post("/graphql", json={"query": QUERY}, headers={"Accept": accept})
    assert response.status_code == 406
    assert message(response) == (
        "The Accept header accepts none of the types that the endpoint offers: "
        "application/graphql-response+json, application/json, text/event-stream or, for @defer and @stream, "
        "multipart/mixed."
    )


@in_the_loop_of_the_file
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
async def test_another_method_gets_a_405_that_names_those_there_are(
    shared_http: httpx.AsyncClient, method: str
) -> None:
    response = await shared_http.request(method, "/graphql", json={"query": QUERY})
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST, QUERY, OPTIONS")
    assert message(response) == f"{method} is not allowed here; use GET, POST or QUERY."


@in_the_loop_of_the_file
async def test_a_byte_order_mark_is_passed_over(shared_http: httpx.AsyncClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"query": QUERY}).encode()
    assert (await shared_http.post("/graphql", content=body, headers=JSON)).json() == TITLE


@in_the_loop_of_the_file
@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "utf-7"])
async def test_another_charset_is_a_415(shared_http: httpx.AsyncClient, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    response = await shared_http.post("/graphql", content="{}", headers=headers)
    assert response.status_code == 415
    assert message(response) == f"The charset is {charset}; it must be utf-8."


@in_the_loop_of_the_file
async def test_a_compressed_request_is_a_415(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.post("/graphql", content=b"x", headers=JSON | {"Content-Encoding": "gzip"})
    assert response.status_code == 415
    assert message(response) == "The Content-Encoding is gzip; a request must not be compressed."


@in_the_loop_of_the_file
async def test_an_address_that_is_too_long_is_a_414(shared_http: httpx.AsyncClient) -> None:
    fits = await shared_http.get("/graphql", params={"query": QUERY + " " * 30_000})
    assert fits.json() == TITLE
    response = await shared_http.get("/graphql", params={"query": QUERY, "x": "y" * 32_000})
    assert response.status_code == 414
    assert message(response).endswith("bytes after the ?; it can have 32,000.")


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("query=%7B__typename%7D&query=%7Bx%7D", "query is in the address more than once."),
        ("query=%FF", "The address is not percent-encoded UTF-8."),
        ("query=%7B__typename%7D&variables=[1]", "variables must be an object; it is an array."),
    ],
)
async def test_an_address_that_is_no_request_is_a_422(
    shared_http: httpx.AsyncClient, address: str, sentence: str
) -> None:
    response = await shared_http.get(f"/graphql?{address}")
    assert (response.status_code, message(response)) == (422, sentence)


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"query": "{ __typename }", "query": "{ x }"}', "query"),
        ('{"query": "{ __typename }", "variables": {"a": 1}, "variables": {}}', "variables"),
        ('{"query": "{ __typename }", "variables": {"query": 1, "query": 2}}', "query"),
        (r'{"query": "{ __typename }", "qu\u0065ry": "{ x }"}', "query"),
    ],
)
async def test_a_body_that_says_two_things_is_a_400(
    shared_http: httpx.AsyncClient, body: str, name: str
) -> None:
    response = await shared_http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == 400
    assert message(response) == f'The body has an object with two members named "{name}".'


def test_the_names_of_an_object_are_looked_at_once_each() -> None:
    """Compared each with each, a body of a megabyte kept the gateway from all others for half an hour."""
    names = ", ".join(f'"{number}": 0' for number in range(1000))
    body = f'{{"query": "{{ __typename }}", "variables": {{"query": 1, {names}, "999": 1}}}}'
    http = HttpRequest("POST", b"", {b"content-type": b"application/json"}, body.encode())
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    steps = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        with pytest.raises(BadRequest, match='two members named "999"'):
            read_post(http, documents)
    finally:
        sys.setprofile(None)
    assert steps < 10_000


@in_the_loop_of_the_file
@pytest.mark.parametrize("address", ["/graphql?query={__typename}", "/", "/healthz"])
async def test_a_request_has_only_so_many_headers(shared_http: httpx.AsyncClient, address: str) -> None:
    own = [("Host", "gateway.test"), ("Accept", "*/*"), ("Accept-Encoding", "br"), ("Connection", "close")]
    own.append(("User-Agent", "x"))
    most = await shared_http.get(address, headers=own + [("X", "")] * (MAX_HEADERS - len(own)))
    one_more = await shared_http.get(address, headers=own + [("X", "")] * (MAX_HEADERS + 1 - len(own)))
    length = MAX_HEADER_BYTES - sum(len(name) + len(value) for name, value in own) - len("X")
    longest = await shared_http.get(address, headers=[*own, ("X", "x" * length)])
    longer = await shared_http.get(address, headers=[*own, ("X", "x" * (length + 1))])
    assert [each.status_code for each in (most, longest)] == [200, 200]
    for refused in (one_more, longer):
        assert refused.status_code == 431
        assert (
            message(refused) == "The request has too many headers; it can have 100, of 32,000 bytes together."
        )


@in_the_loop_of_the_file
async def test_the_names_of_parameters_may_stand_in_values_too(shared_http: httpx.AsyncClient) -> None:
    body = {"query": QUERY, "variables": {"query": 1, "variables": 2}, "operationName": None}
    assert (await shared_http.post("/graphql", json=body)).json() == TITLE


@asynccontextmanager
async def batching(embedded: EmbeddedUpstream, most: int) -> AsyncIterator[httpx.AsyncClient]:
    app = app_over(embedded, batch_limit=most)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client


@in_the_loop_of_the_file
async def test_several_requests_in_one_are_off_unless_they_are_allowed(
    shared_http: httpx.AsyncClient,
) -> None:
    response = await shared_http.post("/graphql", json=[{"query": QUERY}])
    assert response.status_code == 422
    assert message(response).endswith("it is an array.")


async def test_several_requests_in_one_are_answered_in_their_order(embedded: EmbeddedUpstream) -> None:
    async with batching(embedded, 3) as http:
        requests = [
            {"query": QUERY},
            {"query": "{ nothing }"},
            {"query": "query($s: String) { grid(slug: $s) { slug } }", "variables": {"s": "no"}},
        ]
        response = await http.post("/graphql", json=requests)
    assert response.status_code == 200
    first, second, third = response.json()
    assert first == TITLE
    assert second["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert third == {"data": {"grid": None}}
    assert response.headers["Cache-Control"] == "no-store"


async def test_several_requests_in_one_share_what_they_ask_upstream(embedded: EmbeddedUpstream) -> None:
    async with batching(embedded, 3) as http:
        await http.post("/graphql", json=[{"query": "{ package(databaseId: 1599) { slug } }"}] * 3)
    assert embedded.requests.total == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("[]", "The body has 0 requests in its array; it can have 1 to 3."),
        (json.dumps([{"query": QUERY}] * 4), "The body has 4 requests in its array; it can have 1 to 3."),
        (
            '[{"query": "{ a }"}, 7]',
            "Request 1 of the array must be a JSON object such as "
            '{"query": "{ categories { title } }"}; it is a number.',
        ),
        ('[{"query": 7}]', "query must be a string; it is a number."),
    ],
)
async def test_an_array_that_is_wrong_says_where(
    embedded: EmbeddedUpstream, body: str, sentence: str
) -> None:
    async with batching(embedded, 3) as http:
        response = await http.post("/graphql", content=body, headers=JSON)
    assert (response.status_code, message(response)) == (422, sentence)


async def test_a_body_that_does_not_arrive_is_a_408_that_ends_the_connection() -> None:
    async def receive() -> dict[str, object]:
        return await asyncio.Future()

    with pytest.raises(BadRequest) as refused:
        await read_body(receive, seconds=0.01)
    assert refused.value.status == 408
    assert refused.value.headers == {"Connection": "close"}
    assert str(refused.value) == "The body did not arrive within 0.01 seconds."


async def test_a_body_that_ends_too_early_is_nobodys() -> None:
    parts: list[dict[str, object]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return parts.pop(0)

    with pytest.raises(ClientLeft):
        await read_body(receive)


async def test_whoever_stops_the_server_while_a_body_arrives_stops_it() -> None:
    async def receive() -> dict[str, object]:
        return await asyncio.Future()

    reading = asyncio.create_task(read_body(receive))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
