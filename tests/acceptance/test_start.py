"""Tests the start. With a stored catalog it waits for nobody, and it imports only what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway_processes import CANONICAL, ROOT, Holding, ask, gateway, sync
from tests.support.http_servers import serving
from upstream.embedded import EmbeddedUpstream

UPSTREAM = "http://127.0.0.1:1/api/v4/"  # Nobody listens there.

ANSWER_ONCE = """
import asyncio, json, sys
import httpx
from server import app

async def main():
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        answer = await client.post("/graphql", json={"query": "{ catalog { syncing } }"})
    print(json.dumps({"answer": answer.json(), "modules": list(sys.modules)}))

asyncio.run(main())
"""

ONLY_START = """
import asyncio, json, sys
from server import app

async def main():
    async with app.router.lifespan_context(app):
        print(json.dumps(list(sys.modules)))

asyncio.run(main())
"""

ANSWER_WITHOUT_A_CLIENT = """
import asyncio, json, sys
from server import app

async def main():
    async with app.router.lifespan_context(app):
        before = set(sys.modules)
        body = json.dumps({"query": sys.argv[1]}).encode()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "root_path": "", "query_string": b"", "state": {},
            "headers": [(b"host", b"gateway.test"), (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }
        arriving = [{"type": "http.request", "body": body, "more_body": False}]
        sent = []

        async def receive():
            return arriving.pop() if arriving else await asyncio.Future()

        async def send(message):
            sent.append(message.get("body", b""))

        await app(scope, receive, send)
        imported = sorted(set(sys.modules) - before)
    print(json.dumps({"answer": json.loads(b"".join(sent)), "imported": imported}))

asyncio.run(main())
"""


def output(code: str, *arguments: str, **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def held() -> Iterator[tuple[str, Holding]]:
    """Return an upstream that says nothing to a gateway that follows it, but lets itself be crawled by hand
    first."""
    embedded = EmbeddedUpstream(packages=150)
    holding = Holding(embedded, b"limit")
    holding.refuses.set()
    with serving(holding) as address:
        yield f"{address}/api/v4/", holding
        holding.refuses.set()


def test_the_first_answer_from_storage_does_not_wait_for_upstream(
    held: tuple[str, Holding], tmp_path: Path
) -> None:
    upstream, holding = held
    sync(upstream, tmp_path / "catalog.sqlite")
    holding.refuses.clear()
    with gateway(upstream, tmp_path / "catalog.sqlite") as client:
        answer = ask(client, CANONICAL, receipt=True)
        assert holding.reached.wait(30)  # The gateway wants to know what is new, and waits.
        ready = client.get("/readyz").json()
        holding.refuses.set()
    assert "errors" not in answer
    assert answer["data"]["package"]["databaseId"] == 1442
    assert answer["extensions"]["upstream"]["requests"] == 0
    assert (ready["status"], ready["answersFrom"]) == ("ready", "catalog")


def test_a_gateway_that_can_only_ask_upstream_imports_the_http_client_before_the_first_request() -> None:
    modules = output(ONLY_START, GATEWAY_UPSTREAM=UPSTREAM, GATEWAY_STORAGE=":memory:", GATEWAY_CRAWL="off")
    assert "aiohttp" in modules


def test_the_first_request_to_a_gateway_that_can_only_ask_upstream_imports_nothing(
    held: tuple[str, Holding],
) -> None:
    upstream, _holding = held
    # A name, and not an address, has to be looked up too.
    upstream = upstream.replace("127.0.0.1", "localhost")
    settings = {"GATEWAY_UPSTREAM": upstream, "GATEWAY_STORAGE": ":memory:", "GATEWAY_CRAWL": "off"}
    done = output(ANSWER_WITHOUT_A_CLIENT, CANONICAL, **settings)
    assert "errors" not in done["answer"]
    assert done["answer"]["data"]["package"]["databaseId"] == 1442
    # The first client waits for what is imported here: import it in Client.get_ready, or where its module is.
    assert done["imported"] == []


def test_a_gateway_that_answers_from_storage_does_not_import_the_http_client(
    held: tuple[str, Holding], tmp_path: Path
) -> None:
    upstream, _holding = held
    sync(upstream, tmp_path / "catalog.sqlite")
    stored = {"GATEWAY_UPSTREAM": upstream, "GATEWAY_STORAGE": str(tmp_path / "catalog.sqlite")}
    assert "aiohttp" not in output(ONLY_START, **stored, GATEWAY_CRAWL="off")


def test_the_command_line_imports_neither_servers_nor_clients_nor_the_schema() -> None:
    modules = set(output("import json, sys, server; print(json.dumps(list(sys.modules)))"))
    assert "server" in modules
    late = {"aiohttp", "httpx", "prometheus_client", "rich", "schema", "strawberry", "uvicorn", "web.app"}
    tests_only = {"_pytest", "hypothesis", "pytest"}
    assert modules & (late | tests_only | {"upstream.embedded"}) == set()


def test_a_gateway_over_the_network_answers_without_the_embedded_upstream_and_the_metrics() -> None:
    done = output(ANSWER_ONCE, GATEWAY_UPSTREAM=UPSTREAM, GATEWAY_STORAGE=":memory:")
    assert "errors" not in done["answer"]
    assert {"catalog.sync.leader_loop", "web.app"} <= set(done["modules"])
    assert set(done["modules"]) & {"hypothesis", "prometheus_client", "pytest", "upstream.embedded"} == set()
