"""Tests trusted documents over HTTP, server-sent events and WebSocket; and the curl lines of the document about
them."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from gateway.persisted.document_lookup import NO_GRAPHIQL
from gateway.persisted.trusted_documents import LOOK_AGAIN, TrustedDocuments
from tests.support.gateway_in_process import app_over
from tests.support.http_servers import serving
from tests.support.persisted_documents import TEXT, apollo, hash_of
from tests.support.read_metrics import samples, value
from tests.support.streaming_gateway import GRAPHQL_TRANSPORT_WS, received, send
from tests.support.trusted_documents import NOT_IN_SAFELIST, OTHER, UNFIT, apollo_manifest, write
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

GRAPHQL_JSON = {"Accept": "application/graphql-response+json"}
REFUSED = [{"message": NOT_IN_SAFELIST[1], "extensions": {"code": "QUERY_NOT_IN_SAFELIST"}}]
DOCUMENT = (Path(__file__).parents[3] / "docs" / "persisted-documents.md").read_text(encoding="utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


def only_trusting(upstream: EmbeddedUpstream, path: Path, **settings: object) -> GatewayApp:
    """Return the app of a gateway that runs nothing but the documents of this manifest."""
    return app_over(upstream, trusted_documents=str(path), trusted_documents_mode="only", **settings)


def trusted_of(app: GatewayApp) -> TrustedDocuments:
    trusted = app.parts.gateway.persisted.trusted
    assert isinstance(trusted, TrustedDocuments)
    return trusted


@asynccontextmanager
async def asking(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://gateway.test", timeout=60
        ) as client,
    ):
        yield client


@pytest.fixture
async def only(path: Path, embedded: EmbeddedUpstream) -> AsyncIterator[httpx.AsyncClient]:
    """Return the client of a gateway that runs two trusted documents, of which one does not fit."""
    write(path, apollo_manifest(Categories=TEXT, Unfit=UNFIT))
    app = only_trusting(embedded, path)
    async with asking(app) as http:
        await trusted_of(app).checked()
        yield http


async def test_a_document_of_the_manifest_is_answered(only: httpx.AsyncClient) -> None:
    for answer in [
        await only.post("/graphql", json={"extensions": apollo(TEXT)}),
        await only.get("/graphql", params={"documentId": f"sha256:{hash_of(TEXT)}"}),
        await only.post("/graphql", json={"query": TEXT}),
    ]:
        assert len(answer.json()["data"]["categories"]) == 6


async def test_nothing_else_is(only: httpx.AsyncClient) -> None:
    for text in ["{ __typename }", "{ __schema { types { name } } }"]:
        response = await only.post("/graphql", json={"query": text})
        assert (response.status_code, response.json()) == (403, {"errors": REFUSED})
        response = await only.get("/graphql", params={"query": text}, headers=GRAPHQL_JSON)
        assert (response.status_code, response.json()) == (403, {"errors": REFUSED})
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/graphql", "/graphiql"])
async def test_a_browser_is_told_why_there_is_no_graphiql(only: httpx.AsyncClient, address: str) -> None:
    response = await only.get(address, headers={"Accept": "text/html"}, follow_redirects=True)
    assert (response.status_code, response.text) == (403, NO_GRAPHIQL)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_the_front_door_invites_to_nothing_that_would_not_run(only: httpx.AsyncClient) -> None:
    page = (await only.get("/", headers={"Accept": "text/html"})).text
    assert "The catalog" in page
    assert not [each for each in ("GraphiQL", "Try it", "<form", "curl -s", "<!--") if each in page]
    facts = (await only.get("/")).json()
    assert "try" not in facts
    assert facts["links"]["/graphql"] == "GraphQL, for trusted documents only"


async def test_a_document_that_does_not_fit_fails_alone(only: httpx.AsyncClient) -> None:
    response = await only.get("/graphql", params={"documentId": hash_of(UNFIT)})
    assert response.json()["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_metrics_tell_of_the_manifest(only: httpx.AsyncClient) -> None:
    await only.post("/graphql", json={"extensions": apollo(TEXT)})
    await only.post("/graphql", json={"extensions": apollo(OTHER)})
    await only.post("/graphql", json={"query": OTHER})
    expected = {"trusted": 1, "automatic": 0, "registered": 0, "missing": 1, "refused": 1}
    assert await samples(only, "persisted_documents") == expected
    assert await value(only, "trusted_documents") == 2
    assert await value(only, "trusted_documents_unfit") == 1
    assert await value(only, "trusted_documents_reload_failures") == 0


@pytest.mark.virtual_time
async def test_metrics_tell_of_a_manifest_that_is_broken_before_anybody_asks(
    path: Path, embedded: EmbeddedUpstream
) -> None:
    write(path, apollo_manifest(Categories=TEXT))
    async with asking(only_trusting(embedded, path)) as http:
        write(path, "{")
        await asyncio.sleep(LOOK_AGAIN)
        assert await value(http, "trusted_documents_reload_failures") == 1
        assert await value(http, "trusted_documents") == 1


async def test_a_gateway_that_stops_checks_no_more(path: Path, embedded: EmbeddedUpstream) -> None:
    write(path, {f"id-{n}": f"{{ stopped{n}: __typename }}" for n in range(200)})
    app = only_trusting(embedded, path)
    async with asking(app):
        pass
    with pytest.raises(asyncio.CancelledError):
        await trusted_of(app).checked()


async def test_a_gateway_without_a_manifest_measures_nothing_of_one(http: httpx.AsyncClient) -> None:
    lines = (await http.get("/metrics")).text.splitlines()
    # The metrics are described, so that a dashboard knows them, and have no values.
    assert "# TYPE gateway_trusted_documents gauge" in lines
    assert [line for line in lines if line.startswith("gateway_trusted_documents")] == []


@pytest.fixture
def address(path: Path) -> Iterator[str]:
    """Return a gateway on a port that runs the documents of both manifests of the document, and nothing else."""
    apollos, plain = (
        json.loads(block)
        for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
        if "categories" in block
    )
    assert apollos == apollo_manifest(Categories=TEXT)
    write(path, plain)
    with serving(only_trusting(EmbeddedUpstream(packages=20), path)) as address:
        yield address


async def test_over_a_websocket_nothing_else_runs_either(address: str) -> None:
    url = address.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[GRAPHQL_TRANSPORT_WS]) as websocket:
        await send(websocket, type="connection_init")
        await received(websocket)
        await send(websocket, type="subscribe", id="1", payload={"query": "{ __typename }"})
        assert await received(websocket) == {"id": "1", "type": "error", "payload": REFUSED}
        await send(websocket, type="subscribe", id="1", payload={"documentId": "categories-1"})
        assert (await received(websocket))["type"] == "next"


async def test_as_events_nothing_else_runs_either(address: str) -> None:
    async with httpx.AsyncClient(
        base_url=address, headers={"Accept": "text/event-stream"}, timeout=60
    ) as http:
        refused = await http.post("/graphql", json={"query": "subscription { catalogChanged { slug } }"})
        assert refused.json() == {"errors": REFUSED}
        events = await http.get("/graphql", params={"documentId": "categories-1"})
        assert events.headers["Content-Type"].startswith("text/event-stream")


def curl_lines(heading: str) -> list[str]:
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^curl .*$", section, re.MULTILINE)


async def answer_of(curl: str, address: str) -> Any:
    arguments = shlex.split(curl.replace("http://127.0.0.1:8000", address))
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    return json.loads((await process.communicate())[0])


async def test_the_curl_lines_about_a_manifest_work(address: str) -> None:
    lines = curl_lines("Trust a manifest")
    assert len(lines) == 2
    for line in lines:
        assert len((await answer_of(line, address))["data"]["categories"]) == 6


async def test_the_curl_lines_about_registering_work_in_their_order() -> None:
    lines = curl_lines("Register a document")
    assert len(lines) == 5
    with serving(app_over(EmbeddedUpstream(packages=20))) as address:
        missing, *answers = [await answer_of(line, address) for line in lines]
    assert missing["errors"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}
    assert [len(answer["data"]["categories"]) for answer in answers] == [6] * 4


@pytest.mark.virtual_time
async def test_what_is_kept_of_answers_ends_with_the_manifest_that_they_came_by(
    path: Path, embedded: EmbeddedUpstream
) -> None:
    write(path, {"an-id": TEXT})
    app = only_trusting(embedded, path)
    async with asking(app) as http:
        await app.parts.gateway.source.crawl()
        requests: list[dict[str, Any]] = [{"documentId": "an-id"}, {"query": TEXT}]
        for _ in range(2):
            answers = [await http.post("/graphql", json=request) for request in requests]
            assert all("categories" in answer.json()["data"] for answer in answers)
        assert app.parts.responses.found == 2
        write(path, {"an-id": OTHER})
        await asyncio.sleep(LOOK_AGAIN)
        renamed, revoked = [await http.post("/graphql", json=request) for request in requests]
        assert "packages" in renamed.json()["data"]
        assert revoked.json() == {"errors": REFUSED}


async def test_each_of_a_batch_is_answered_or_refused_for_itself(
    path: Path, embedded: EmbeddedUpstream
) -> None:
    write(path, {"an-id": TEXT})
    async with asking(only_trusting(embedded, path, batch_limit=3)) as http:
        batch = [{"documentId": "an-id"}, {"query": OTHER}, {"query": TEXT}]
        first, refused, last = (await http.post("/graphql", json=batch)).json()
    assert refused == {"errors": REFUSED}
    assert len(first["data"]["categories"]) == len(last["data"]["categories"]) == 6


async def test_a_document_beyond_the_limits_of_its_gateway_is_not_registered(
    embedded: EmbeddedUpstream,
) -> None:
    app = app_over(embedded, limit_aliases=0)
    async with asking(app) as http:
        text = "{ a: __typename }"
        response = await http.post("/graphql", json={"query": text, "extensions": apollo(text)})
        assert response.json()["errors"][0]["extensions"]["code"] == "OPERATION_TOO_COMPLEX"
    assert len(app.parts.gateway.persisted.registered) == 0
