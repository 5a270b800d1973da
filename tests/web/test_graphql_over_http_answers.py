"""Tests GraphQL over HTTP, edition of September 2026: media types and statuses of answers, a test for each rule.

An id is the rule's in the digest of the edition that the project keeps: A is about media types (sections 3 and 5.1),
and S is about statuses (5.4).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.crawled_gateway import app, http
from tests.support.gateway_in_process import app_over, client_of
from tests.support.graphql_over_http import ACCEPTS, G, J, Row, send
from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream, Fault, Latency
from web.request_body import read_body
from web.request_parsing import BadRequest

__all__ = ["app", "http"]

TYPENAME = '{"query":"{__typename}"}'
NOPE = '{"query":"{nope}"}'
PARTIAL = '{"query":"{package{title} categories{slug}}"}'
"""Its first field has an error: a package is asked for without anything that names it."""


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "row",
    [
        Row("A1", 200, body=TYPENAME),
        Row(
            "A2",
            200,
            body=json.dumps({"query": '{category(slug:"\u2603"){slug}}'}, ensure_ascii=False).encode(),
        ),
        Row("A3", 200, body=TYPENAME),
        Row("A6 weights", 200, J, TYPENAME, accept=f"{G};q=0.5, {J}"),
        Row("A6 equal", 200, G, TYPENAME, accept=f"{J}, {G}"),
        Row("A6 other weights", 200, G, TYPENAME, accept=f"{G}, {J};q=0.9"),
        Row("A7", 422, G, '{"qeury":1}'),
        Row("A7 weights", 422, J, '{"qeury":1}', accept=f"{G};q=0.5, {J}"),
        Row("A8", 406, J, TYPENAME, accept="image/png"),
        Row("A9 zero", 406, None, TYPENAME, accept=f"{G};q=0"),
        Row("A9 rest", 200, J, TYPENAME, accept=f"{G};q=0, */*"),
        Row("A9 case", 200, G, TYPENAME, accept=G.title()),
        Row("A10", 200, J, TYPENAME, accept=None),
        Row("A10 any", 200, J, TYPENAME, accept="*/*"),
        Row("A10 application", 200, J, TYPENAME, accept="application/*"),
        Row("A11", 200, J, TYPENAME, accept=J),
        # Section 5.4.1 and 6.1 against 5.1: docs/http.md says why it is 200.
        Row("A12", 200, J, PARTIAL, accept=J),
        Row("A12 any", 200, J, PARTIAL, accept="*/*"),
        Row("A13", 422, G, NOPE, accept=J),
        Row("A13 any", 422, J, NOPE, accept="*/*"),
        Row("A13 none", 422, J, NOPE, accept=None),
        Row("A13 excluded", 422, J, NOPE, accept=f"{J}, {G};q=0"),
        Row("A14", 400, G, "{", accept=J),
        Row("A14 any", 400, J, "{", accept="*/*"),
    ],
    ids=str,
)
async def test_a_row_about_media_types(shared_http: httpx.AsyncClient, row: Row) -> None:
    await send(shared_http, row)


@in_the_loop_of_the_file
async def test_a9_several_lines_of_accept_are_one(shared_http: httpx.AsyncClient) -> None:
    headers = [("Accept", f"{J};q=0.5"), ("Accept", G), ("Content-Type", J)]
    for body in (TYPENAME, NOPE, "{"):
        response = await shared_http.post("/graphql", content=body, headers=headers)
        assert response.headers["Content-Type"] == f"{G}; charset=utf-8"


@in_the_loop_of_the_file
@pytest.mark.parametrize("id", ["A4", "A5", "A7"])
@pytest.mark.parametrize("accept", [*ACCEPTS, f"{G};q=0.5, {J}", "image/png"])
async def test_every_refusal_has_the_type_that_the_client_takes_and_names_its_charset(
    shared_http: httpx.AsyncClient, id: str, accept: str | None
) -> None:
    type = G if accept in (G, J) else J
    refusals = [
        Row(id, 400, type, "{", accept=accept),
        Row(id, 404, type, method="GET", accept=accept),
        Row(id, 405, type, TYPENAME, method="PUT", accept=accept),
        Row(id, 413, type, " " * 1_000_001, accept=accept),
        Row(id, 414, type, params="x=" + "y" * 33_000, accept=accept),
        Row(id, 415, type, "x", content_type="text/plain", accept=accept),
        Row(id, 422, type, "[]", accept=accept),
    ]
    for row in refusals:
        if row.status == 404:
            headers = {} if accept is None else {"Accept": accept}
            response = await shared_http.get("/nothing", headers=headers)
            assert response.status_code == 404
            assert response.headers["Content-Type"] == f"{type}; charset=utf-8"
        else:
            response = await send(shared_http, row)
        assert response.headers["Cache-Control"] == "no-store"
        assert "Accept" in response.headers["Vary"].split(", ")
        assert response.headers.get_list("Vary") == [response.headers["Vary"]]


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "row",
    [
        Row("S1", 200, body=TYPENAME),
        Row("S2", 294, body=PARTIAL),
        Row("S3", 294, body=PARTIAL),
        Row("S7", 400, body="NONSENSE"),
        Row("S7 truncated", 400, body='{"query":'),
        Row("S7 empty", 400, method="POST"),
        Row("S7 no UTF-8", 400, body=b'{"query":"\xff"}'),
        Row("S16", 413, body=" " * 1_000_001),
        Row("S17", 414, params="x=" + "y" * 33_000),
    ],
    ids=str,
)
async def test_a_row_about_statuses(shared_http: httpx.AsyncClient, row: Row) -> None:
    await send(shared_http, row)


async def test_s4_a_root_field_that_cannot_be_null_fails_with_data_that_is_null(
    embedded: EmbeddedUpstream,
) -> None:
    """Only a router with the secret may ask for ``_entities``."""
    query = '{"query":"{_entities(representations:[]){__typename}}"}'
    async with client_of(app_over(embedded, router_secret="a secret of the router")) as http:
        for accept, status, type in ((G, 294, G), (J, 200, J), ("*/*", 200, J), (None, 200, J)):
            response = await send(http, Row("S4", status, type, query, accept=accept))
            assert response.json()["data"] is None
            assert response.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
            assert response.headers["Cache-Control"] == "no-store"


REQUEST_ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "S8": (400, {"query": "{"}),
    "S9": (422, {"query": "{nope}"}),
    "S10 several": (422, {"query": "query A{__typename} query B{__typename}"}),
    "S10 unknown": (422, {"query": "query A{__typename}", "operationName": "B"}),
    "S10 fragments": (422, {"query": "fragment A on Query{__typename}"}),
    "S11 absent": (422, {"query": "query($i:Int!){package(databaseId:$i){slug}}"}),
    "S11 wrong": (422, {"query": "query($i:Int!){package(databaseId:$i){slug}}", "variables": {"i": "x"}}),
    "S12": (422, {"query": "{" + "categories{slug}" * 51 + "}"}),
    "S14": (422, {"query": "query($a:Int){__typename}"}),
}
"""Statuses and requests by the ids of their rules."""


@in_the_loop_of_the_file
@pytest.mark.parametrize("id", REQUEST_ERRORS)
@pytest.mark.parametrize("accept", ACCEPTS)
async def test_s5_and_s6_a_request_error_is_a_4xx_for_every_client_and_s13_has_no_data(
    shared_http: httpx.AsyncClient, id: str, accept: str | None
) -> None:
    status, body = REQUEST_ERRORS[id]
    type = G if accept in (G, J) else J
    row = Row(id, status, type, json.dumps(body), accept=accept)
    posted = await send(shared_http, row)
    assert posted.json().keys() == {"errors"}
    assert posted.headers["Cache-Control"] == "no-store"
    params = urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()})
    got = await send(shared_http, Row(id, status, type, params=params, accept=accept))
    assert got.json() == posted.json()


async def test_s15_a_body_that_does_not_arrive_is_a_408() -> None:
    async def receive() -> dict[str, object]:
        return await asyncio.Future()

    with pytest.raises(BadRequest) as refused:
        await read_body(receive, seconds=0.01)
    assert (refused.value.status, refused.value.headers) == (408, {"Connection": "close"})


@in_the_loop_of_the_file
@pytest.mark.parametrize("accept", ACCEPTS)
async def test_s18_too_many_headers_are_a_431_that_pages_may_read(
    shared_http: httpx.AsyncClient, accept: str | None
) -> None:
    headers = {"X": "y" * 40_000, "Origin": "https://a.example"}
    request = shared_http.build_request("GET", "/graphql?query={__typename}", headers=headers)
    del request.headers["Accept"]
    if accept is not None:
        request.headers["Accept"] = accept
    response = await shared_http.send(request)
    assert response.status_code == 431
    type = G if accept in (G, J) else J
    assert response.headers["Content-Type"] == f"{type}; charset=utf-8"
    assert "Accept" in response.headers["Vary"].split(", ")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@in_the_loop_of_the_file
async def test_s18_of_a_header_without_end_only_the_beginning_is_read(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get("/graphql", headers={"Accept": "x/y, " * 8_000 + G})
    assert (response.status_code, response.headers["Content-Type"]) == (431, f"{J}; charset=utf-8")


@in_the_loop_of_the_file
async def test_s21_what_is_no_graphql_result_is_never_called_one(
    shared_http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    page = await shared_http.get("/graphql", headers={"Accept": f"text/html, {G}"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    # An array of results is none.
    async with client_of(app_over(embedded, batch_limit=2)) as batching:
        await send(batching, Row("S21", 200, J, f"[{TYPENAME}, {NOPE}]"))


@in_the_loop_of_the_file
async def test_s22_answers_vary_by_accept_and_errors_are_not_kept(shared_http: httpx.AsyncClient) -> None:
    for row in (Row("ok", 200, body=TYPENAME), Row("partial", 294, body=PARTIAL), Row("no", 422, body=NOPE)):
        response = await send(shared_http, row)
        assert "Accept" in response.headers["Vary"].split(", ")
        assert (response.headers["Cache-Control"] == "no-store") == (row.status != 200)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_s23_a_get_with_if_none_match_is_a_304(http: httpx.AsyncClient, method: str) -> None:
    params = urlencode({"query": "{categories{slug}}"})
    tag = (await send(http, Row("S23", 200, params=params))).headers["ETag"]
    for asked in (tag, f"W/{tag}", "*"):
        headers = {"If-None-Match": asked, "Accept": G}
        response = await http.request(method, f"/graphql?{params}", headers=headers)
        assert (response.status_code, response.headers["ETag"], response.content) == (304, tag, b"")
        assert "Accept" in response.headers["Vary"].split(", ")


@pytest.mark.parametrize("id", ["S19", "S20"])
async def test_no_login_is_asked_for_and_overload_is_a_503(embedded: EmbeddedUpstream, id: str) -> None:
    """Statuses of 401 are for S19, which the gateway never sends; those of 5xx are for S20."""
    settings = {"limit_running": 1, "limit_waiting": 0, "limit_waiting_seconds": 0.01}
    app = app_over(embedded, **settings)
    async with client_of(app) as http, app.parts.gateway.admission.turn():
        for accept in ACCEPTS:
            type = G if accept in (G, J) else J
            response = await send(http, Row(id, 503, type, TYPENAME, accept=accept))
            assert int(response.headers["Retry-After"]) > 0


@pytest.mark.virtual_time
async def test_s20_an_operation_that_waits_for_upstream_too_long_is_a_504(embedded: EmbeddedUpstream) -> None:
    # Two lookups that follow on one another: one alone would fail in time.
    embedded.faults.add(Fault(Latency(1.8)))
    query = '{"query":"{package(databaseId:1599){grids{slug}}}"}'

    async def code(http: httpx.AsyncClient, accept: str | None) -> object:
        row = Row("S20", 504, G if accept in (G, J) else J, query, accept=accept)
        (error,) = (await send(http, row)).json()["errors"]
        return error["extensions"]

    async with client_of(app_over(embedded, limit_seconds=3)) as http:
        codes = await asyncio.gather(*(code(http, accept) for accept in ACCEPTS))
    assert codes == [{"code": "OPERATION_TIMEOUT"}] * len(ACCEPTS)
