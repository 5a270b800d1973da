"""Tests automatic persisted queries over HTTP, server-sent events and WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.persisted.automatic_persisted_queries import NEW_BYTES, NEW_DOCUMENTS, USED_BYTES, USED_DOCUMENTS
from tests.support.persisted_documents import TEXT, apollo, hash_of
from tests.support.read_metrics import samples, value
from tests.support.streaming_gateway import Served, http_client, received, send, served, server_sent, socket
from web.app import GatewayApp

GRAPHQL_JSON = {"Accept": "application/graphql-response+json"}
NOT_FOUND = {
    "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]
}
APPS = 'query Apps($slug: String = "apps") { category(slug: $slug) { title } }'
ANSWER = {"data": {"category": {"title": "Apps"}}}


async def test_a_post_by_hash_is_answered_once_the_text_was_sent(http: httpx.AsyncClient) -> None:
    by_hash = {"extensions": apollo(APPS)}
    response = await http.post("/graphql", json=by_hash)
    assert (response.status_code, response.json()) == (200, NOT_FOUND)
    assert response.headers["Cache-Control"] == "no-store"
    assert (await http.post("/graphql", json=by_hash | {"query": APPS})).json() == ANSWER
    assert (await http.post("/graphql", json=by_hash)).json() == ANSWER
    variables = {"variables": {"slug": "none"}}
    assert (await http.post("/graphql", json=by_hash | variables)).json() == {"data": {"category": None}}


async def test_a_get_by_hash_is_answered_once_the_text_was_sent(http: httpx.AsyncClient) -> None:
    by_hash = {"extensions": json.dumps(apollo(APPS))}
    response = await http.get("/graphql", params=by_hash, headers=GRAPHQL_JSON)
    assert (response.status_code, response.json()) == (422, NOT_FOUND)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"].startswith("application/graphql-response+json")
    assert (await http.get("/graphql", params=by_hash | {"query": APPS})).json() == ANSWER
    response = await http.get("/graphql", params=by_hash, headers=GRAPHQL_JSON)
    assert (response.status_code, response.json()) == (200, ANSWER)


async def test_a_document_id_names_the_same_document(http: httpx.AsyncClient) -> None:
    id = {"documentId": f"sha256:{hash_of(APPS)}"}
    assert (await http.get("/graphql", params=id)).json() == NOT_FOUND
    assert (await http.post("/graphql", json=id | {"query": APPS})).json() == ANSWER
    assert (await http.get("/graphql", params=id)).json() == ANSWER
    # A link in a browser is an operation, not the way to GraphiQL.
    assert (await http.get("/graphql", params=id, headers={"Accept": "text/html,*/*"})).json() == ANSWER


@pytest.mark.parametrize("headers", [{}, GRAPHQL_JSON], ids=["json", "graphql json"])
async def test_a_wrong_hash_is_a_bad_request(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = {"query": APPS, "extensions": apollo("0" * 64)}
    response = await http.post("/graphql", json=body, headers=headers)
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {
            "message": "The id is not the SHA-256 of the query that came with it, in lower-case digits.",
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]


@pytest.mark.parametrize("id", [7, ["x"], {"a": 1}])
async def test_a_document_id_is_a_string(http: httpx.AsyncClient, id: object) -> None:
    response = await http.post("/graphql", json={"documentId": id})
    assert response.status_code == 422
    assert response.json()["errors"][0]["message"].startswith("documentId must be a string; it is ")


async def test_two_document_ids_are_a_bad_request(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql?documentId=a&documentId=b")
    assert response.status_code == 422
    assert response.json()["errors"][0]["message"] == "documentId is in the address more than once."
    body = b'{"documentId": "a", "documentId": "b"}'
    response = await http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    sentence = 'The body has an object with two members named "documentId".'
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, sentence)


async def test_a_document_that_does_not_fit_is_told_why_and_not_kept(http: httpx.AsyncClient) -> None:
    wrong = "{ nothing }"
    response = await http.post("/graphql", json={"query": wrong, "extensions": apollo(wrong)})
    assert response.json()["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert (await http.post("/graphql", json={"extensions": apollo(wrong)})).json() == NOT_FOUND


async def test_metrics_count_what_came_of_ids_and_what_is_kept(http: httpx.AsyncClient) -> None:
    for body in [
        {"extensions": apollo(TEXT)},
        {"extensions": apollo(TEXT), "query": TEXT},
        {"extensions": apollo(TEXT)},
        {"extensions": apollo(TEXT)},
        {"extensions": apollo(TEXT), "query": APPS},
        {"query": TEXT},
    ]:
        await http.post("/graphql", json=body)
    assert await samples(http, "persisted_documents") == {
        "trusted": 0,
        "automatic": 2,
        "registered": 1,
        "missing": 1,
        "refused": 1,
    }
    assert await value(http, "registered_documents") == 1
    assert len(TEXT) < await value(http, "registered_documents_bytes") < len(TEXT) + 100


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


async def test_events_come_by_hash_too(gateway: Served) -> None:
    async with http_client(gateway) as http:
        await http.post("/graphql", json={"query": APPS, "extensions": apollo(APPS)})
        accept = {"Accept": "text/event-stream"}
        response = await http.post("/graphql", json={"extensions": apollo(APPS)}, headers=accept)
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert json.dumps(ANSWER, separators=(",", ":")) in response.text.replace(": ", ":")
        events = [event async for event in server_sent(http, APPS)]
    assert events == [("next", ANSWER), ("complete", None)]


async def test_operations_over_a_websocket_come_by_hash_too(gateway: Served) -> None:
    text = f"{APPS} # over a WebSocket"

    async def answers(**payload: Any) -> list[Any]:
        await send(websocket, type="subscribe", id="1", payload=payload)
        messages = [await received(websocket)]
        while messages[-1]["type"] == "next":
            messages.append(await received(websocket))
        return [message.get("payload") for message in messages]

    async with socket(gateway) as websocket:
        assert await answers(extensions=apollo(text)) == [NOT_FOUND["errors"]]
        assert await answers(query=text, extensions=apollo(text)) == [ANSWER, None]
        assert await answers(extensions=apollo(text)) == [ANSWER, None]
        # graphql-ws has no query to send, so its users send an empty one.
        assert await answers(query="", extensions=apollo(text)) == [ANSWER, None]
        assert await answers(documentId=hash_of(text)) == [ANSWER, None]
        assert (await answers(query="", documentId=""))[0][0]["extensions"] == {"code": "BAD_REQUEST"}


def test_the_document_about_it_has_the_limits_of_the_program() -> None:
    told = (Path(__file__).parents[3] / "docs" / "persisted-documents.md").read_text(encoding="utf-8")
    assert f"{NEW_DOCUMENTS + USED_DOCUMENTS:,} documents and {NEW_BYTES + USED_BYTES:,} bytes" in told


async def test_a_request_that_is_wrong_otherwise_registers_nothing(http: httpx.AsyncClient) -> None:
    wrong = {"query": APPS, "extensions": apollo(APPS), "variables": []}
    assert (await http.post("/graphql", json=wrong)).status_code == 422
    assert (await http.post("/graphql", json={"extensions": apollo(APPS)})).json() == NOT_FOUND


@pytest.mark.parametrize("use_engine", [True], indirect=True)
async def test_an_answer_by_id_has_what_caches_need_and_a_refusal_is_never_kept(
    http: httpx.AsyncClient, app: GatewayApp
) -> None:
    await app.parts.gateway.source.crawl()
    id = {"documentId": hash_of(APPS)}
    missing = [await http.get("/graphql", params=id) for _ in range(2)]
    assert [answer.json() for answer in missing] == [NOT_FOUND] * 2
    assert {answer.headers["Cache-Control"] for answer in missing} == {"no-store"}
    assert missing[0].headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" not in missing[0].headers
    await http.post("/graphql", json=id | {"query": APPS})
    found = await http.get("/graphql", params=id)
    assert found.json() == ANSWER
    assert found.headers["Cache-Control"].startswith("public, max-age=")
    again = await http.get("/graphql", params=id, headers={"If-None-Match": found.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
