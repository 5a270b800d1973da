"""Tests GraphQL over HTTP, edition of September 2026: addresses, methods, parameters and encodings, a test for each
rule.

An id is the rule's in the digest of the edition that the project keeps: U and M are about addresses and methods
(sections 2, 4 and 4.3; M8 is in ``tests/acceptance/test_connections.py``), R is about parameters and encodings (4.1
and 4.4), and C is about security (6.2).
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.graphql_over_http import ACCEPTS, G, J, Row, send
from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream

TYPENAME = '{"query":"{__typename}"}'
MUTATION = urlencode({"query": "mutation{__typename}"})
TWO = "query A{__typename} query null{__typename}"


def of(query: str, **more: object) -> str:
    return json.dumps({"query": query, **more})


def address(query: str, **more: str) -> str:
    return urlencode({"query": query, **more})


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "row",
    [
        Row("U1", 200, body=TYPENAME),
        Row("M1", 200, body=TYPENAME),
        Row("M2", 200, params=address("{__typename}")),
        Row("M10", 422, body=of("subscription{catalogChanged{slug}}")),
        Row("M10 json", 422, body=of("subscription{catalogChanged{slug}}"), accept=J),
    ],
    ids=str,
)
async def test_a_row_about_addresses_and_methods(live_http: httpx.AsyncClient, row: Row) -> None:
    await send(live_http, row)


@in_the_loop_of_the_file
async def test_u2_a_browser_gets_a_page_at_the_same_address(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


@in_the_loop_of_the_file
async def test_u3_nobody_is_turned_away_for_what_a_request_says(live_http: httpx.AsyncClient) -> None:
    """There is no login, so no status is 401 or 403 here; what only a router may ask for is refused by its field."""
    query = '{_entities(representations:[{__typename:"Grid",slug:"email"}]){__typename}}'
    for authorization in ("Basic eDp5", "Bearer x"):
        response = await live_http.post(
            "/graphql", json={"query": query}, headers={"Authorization": authorization}
        )
        assert (response.status_code, response.json()) == (
            200,
            {"data": {"_entities": [{"__typename": "Grid"}]}},
        )


@in_the_loop_of_the_file
async def test_m3_head_is_get_without_its_body(live_http: httpx.AsyncClient) -> None:
    for query in ("{__typename}", "{nope}", "mutation{__typename}"):
        row = {"params": {"query": query}, "headers": {"Accept": G}}
        got, head = await live_http.get("/graphql", **row), await live_http.head("/graphql", **row)  # type: ignore[arg-type]
        assert head.status_code == got.status_code
        if query != "mutation{__typename}":  # whose sentence names the method
            assert head.headers == got.headers


@pytest.mark.parametrize("use_engine", [True], ids=["engine"])
@pytest.mark.parametrize("id", ["M4", "M5", "M6"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mutation_by_get_is_not_allowed_and_the_answer_names_post(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream, id: str, method: str
) -> None:
    accepts = [G] if id == "M4" else ACCEPTS
    for accept in [*accepts, "text/event-stream", "multipart/mixed, */*"]:
        row = Row(id, 405, None, params=MUTATION, method=method, accept=accept)
        response = await send(http, row)
        assert response.headers["Allow"] == "POST"
        if method == "GET":
            (error,) = response.json()["errors"]
            assert error["message"] == "GET cannot run a mutation, and the schema has none."
    assert embedded.requests.total == 0


@in_the_loop_of_the_file
async def test_m6_one_of_several_operations_may_be_a_mutation(live_http: httpx.AsyncClient) -> None:
    document = "query A{__typename} mutation B{__typename}"
    await send(live_http, Row("a query", 422, params=address(document, operationName="A")))
    await send(live_http, Row("a mutation", 405, params=address(document, operationName="B")))
    await send(live_http, Row("neither", 422, params=address(document)))


@in_the_loop_of_the_file
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("accept", ACCEPTS)
async def test_m7_another_method_is_a_405_that_names_those_there_are(
    shared_http: httpx.AsyncClient, method: str, accept: str | None
) -> None:
    type = J if accept in ("*/*", None) else G
    response = await send(shared_http, Row("M7", 405, type, TYPENAME, method=method, accept=accept))
    assert response.headers["Allow"] == "GET, HEAD, POST, QUERY, OPTIONS"
    assert response.json()["errors"][0]["message"] == f"{method} is not allowed here; use GET, POST or QUERY."


@in_the_loop_of_the_file
async def test_m9_options_names_the_methods(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.options("/graphql")
    assert (response.status_code, response.headers["Allow"]) == (204, "GET, HEAD, POST, QUERY, OPTIONS")


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "row",
    [
        Row("R7", 200, body=of("{__typename}", operationName=None, variables=None, extensions=None)),
        Row("R8", 200, body=of("{__typename}", foo=1)),
        Row("R9", 200, body=of('{__typename category(slug:"\u2603"){slug}}')),
        Row("R9 charset", 200, body=TYPENAME, content_type="application/json;charset=UTF-8"),
        Row(
            "R13",
            200,
            params="query=query(%24s%3AString)+%7Bcategory(slug%3A%24s)%7Bslug%7D%7D&variables=%7B%22s%22%3A%22a+b%22%7D",
        ),
        Row("R14", 200, params=address("{__typename}", variables="", extensions="", operationName="")),
        Row("R15", 200, params=address(TWO, operationName="null")),
    ],
    ids=str,
)
async def test_a_row_about_parameters_and_encodings_that_are_taken(
    live_http: httpx.AsyncClient, row: Row
) -> None:
    answer = (await send(live_http, row)).json()
    assert "data" in answer
    assert "errors" not in answer


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "row",
    [
        Row("R1", 422, body='{"qeury":"{__typename}"}'),
        Row("R1 null", 422, body='{"query":null}'),
        Row("R2", 422, body='{"query":1}'),
        Row("R3", 422, body='{"query":"{__typename}","operationName":1}'),
        Row("R4", 422, body='{"query":"{__typename}","variables":[7]}'),
        Row("R5", 422, body='{"query":"{__typename}","extensions":"x"}'),
        Row("R6", 422, body="[]"),
        Row("R6 text", 422, body='"{__typename}"'),
        Row("R10", 415, body=TYPENAME, content_type=""),
        Row("R11", 415, body="{__typename}", content_type="application/graphql"),
        Row("R11 type of answers", 415, body=TYPENAME, content_type=G),
        Row("R11 charset", 415, body=TYPENAME, content_type="application/json; charset=utf-16"),
        Row("R12", 415, body="query={__typename}", content_type="application/x-www-form-urlencoded"),
        Row("R15 no such name", 422, params=address("query A{__typename}", operationName="null")),
        Row("R16", 422, params=address("{__typename}", variables="{")),
        Row("R16 extensions", 422, params=address("{__typename}", extensions="{")),
        Row("R17", 422, params=address("{__typename}", variables="[1]")),
        Row("R17 extensions", 422, params=address("{__typename}", extensions='"x"')),
        Row("R18", 422, method="GET"),
        Row("R18 others", 422, params="operationName=A"),
        Row("R19", 400, body='{"query":""}'),
        Row("R19 blank", 400, body='{"query":" "}'),
        Row("R19 address", 400, params="query="),
    ],
    ids=str,
)
async def test_a_row_about_parameters_and_encodings_that_are_refused(
    shared_http: httpx.AsyncClient, row: Row
) -> None:
    answer = (await send(shared_http, row)).json()
    assert "data" not in answer
    assert "errors" in answer


@in_the_loop_of_the_file
@pytest.mark.parametrize("accept", [J, "*/*", None])
async def test_r1_to_r6_hold_for_every_header_accept(
    shared_http: httpx.AsyncClient, accept: str | None
) -> None:
    type = G if accept == J else J
    for body in ('{"qeury":1}', '{"query":1}', '{"query":"{a}","variables":[7]}', "[]"):
        await send(shared_http, Row("R1", 422, type, body, accept=accept))


@in_the_loop_of_the_file
@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x"])
async def test_c1_and_c3_what_needs_no_preflight_is_never_a_request(
    shared_http: httpx.AsyncClient, content_type: str
) -> None:
    for more in ({}, {"GraphQL-Require-Preflight": "1"}):
        headers = {"Content-Type": content_type} | more
        assert (await shared_http.post("/graphql", content=TYPENAME, headers=headers)).status_code == 415


@in_the_loop_of_the_file
async def test_c2_a_get_changes_nothing(live_http: httpx.AsyncClient) -> None:
    schema = (await live_http.post("/graphql", json={"query": "{__schema{mutationType{name}}}"})).json()
    assert schema == {"data": {"__schema": {"mutationType": None}}}


async def test_c4_a_document_beyond_a_limit_is_refused_before_it_runs(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    row = Row("C4", 422, body=of("{" + "a:categories{slug}" * 2000 + "}"))
    (error,) = (await send(http, row)).json()["errors"]
    assert error["extensions"]["code"] == "OPERATION_TOO_COMPLEX"
    assert embedded.requests.total == 0
