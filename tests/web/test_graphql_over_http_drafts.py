"""Tests GraphQL over HTTP: drafts of the working group beside the edition of September 2026, a test for each rule.

An id is the rule's in the digest of the edition that the project keeps: P is about persisted documents, B about
batches, and I about streams and answers in parts.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.gateway_in_process import app_over, client_of
from tests.support.graphql_over_http import ACCEPTS, G, J, Row, send
from tests.support.persisted_documents import hash_of
from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream

TYPENAME = '{"query":"{__typename}"}'
NOPE = '{"query":"{nope}"}'
APPS = '{category(slug:"apps"){title}}'


async def test_p1_and_p2_a_document_id_by_post_and_get(http: httpx.AsyncClient) -> None:
    id = f"sha256:{hash_of(APPS)}"
    await http.post("/graphql", json={"query": APPS, "documentId": id})
    await send(http, Row("P1", 200, body=json.dumps({"documentId": id})))
    await send(http, Row("P1", 200, params=urlencode({"documentId": id})))
    for other in ("foo:bar", "abc", id.upper(), f"sha256:{hash_of(APPS).upper()}"):
        await send(http, Row("P2", 422, body=json.dumps({"documentId": other})))


@in_the_loop_of_the_file
async def test_p3_an_unknown_id_is_a_4xx_but_for_clients_such_as_apollo_gateway(
    live_http: httpx.AsyncClient,
) -> None:
    body = json.dumps({"documentId": hash_of("{unknown}")})
    for accept in ACCEPTS:
        status, type = (422, G) if accept == G else (200, J)
        answer = (await send(live_http, Row("P3", status, type, body, accept=accept))).json()
        assert answer["errors"][0]["message"] == "PersistedQueryNotFound"
        assert answer.keys() == {"errors"}


@in_the_loop_of_the_file
async def test_p4_a_mutation_by_get_and_id_is_a_405(live_http: httpx.AsyncClient) -> None:
    """A mutation cannot be registered, so it comes with its text."""
    mutation = "mutation{__typename}"
    params = urlencode({"query": mutation, "documentId": hash_of(mutation)})
    assert (await send(live_http, Row("P4", 405, params=params))).headers["Allow"] == "POST"


@in_the_loop_of_the_file
@pytest.mark.parametrize("id", ["7", '["x"]', '{"a":1}', "true"])
async def test_p5_a_document_id_that_is_no_string_is_a_422(live_http: httpx.AsyncClient, id: str) -> None:
    (error,) = (await send(live_http, Row("P5", 422, body=f'{{"documentId":{id}}}'))).json()["errors"]
    assert error["message"].startswith("documentId must be a string; it is ")


@in_the_loop_of_the_file
async def test_b1_and_b2_drafts_of_batching_are_not_offered(live_http: httpx.AsyncClient) -> None:
    await send(live_http, Row("B1", 422, body='{"query":"{__typename}","variables":[{},{}]}'))
    await send(live_http, Row("B1", 406, None, TYPENAME, accept="application/jsonl"))
    await send(live_http, Row("B2", 422, body=f"[{TYPENAME}]"))


@in_the_loop_of_the_file
async def test_i1_errors_before_execution_are_events_of_a_stream(live_http: httpx.AsyncClient) -> None:
    events = {"Accept": "text/event-stream", "Content-Type": J}
    response = await live_http.post("/graphql", content=NOPE, headers=events)
    assert (response.status_code, response.headers["Content-Type"]) == (
        200,
        "text/event-stream",
    )
    assert "GRAPHQL_VALIDATION_FAILED" in response.text
    assert response.text.rstrip().splitlines()[-2:] == ["event: complete", "data:"]
    refused = await live_http.post("/graphql", content="[]", headers=events)
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, f"{J}; charset=utf-8")


async def test_i2_parts_come_with_the_status_200(embedded: EmbeddedUpstream) -> None:
    """Its errors are not known when the status goes out."""
    query = '{package(databaseId:1599){slug ... @defer{grids{title}}} search(query:""){totalCount}}'
    async with client_of(app_over(embedded)) as http:
        headers = {"Accept": "multipart/mixed"}
        response = await http.post("/graphql", json={"query": query}, headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("multipart/mixed; boundary=")
