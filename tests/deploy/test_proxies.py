"""Tests the examples of proxies in deploy/: nginx and Caddy take them, and nginx serves a gateway with them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.deploy.conftest import Tool
from tests.support.http_servers import free_port
from tests.support.nginx_before_gateways import nginx_before
from tests.support.processes import ROOT, running
from tests.support.streaming_gateway import GRAPHQL_TRANSPORT_WS, Served, served

CADDYFILE = ROOT / "deploy" / "Caddyfile"


def test_caddy_takes_its_example(tool: Tool) -> None:
    assert "Valid configuration" in tool("caddy", "validate", "--config", str(CADDYFILE))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("gateway")
    with served(
        folder / "catalog.sqlite",
        packages=300,
        files=str(folder / "files"),
        trusted_proxies="127.0.0.1",
    ) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def nginx(gateway: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with nginx_before(tmp_path_factory.mktemp("nginx"), gateway.address) as http:
        yield http


@pytest.fixture(scope="module")
def caddy(
    programs: Path, gateway: Served, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Run Caddy with the file of deploy/, but for its address and its gateway, and without a certificate."""
    folder, address = tmp_path_factory.mktemp("caddy"), f"http://127.0.0.1:{free_port()}"
    text = CADDYFILE.read_text(encoding="utf-8")
    for ours, theirs in {
        "packages.example.org {": f"{address} {{",
        "127.0.0.1:8000": gateway.address.removeprefix("http://"),
    }.items():
        assert text.count(ours) == 1
        text = text.replace(ours, theirs)
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text, encoding="utf-8")
    command = [str(programs / "caddy"), "run", "--config", str(folder / "Caddyfile")]
    own = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (
        running(command, f"{address}/metrics", **own),
        httpx.Client(base_url=address, timeout=30, verify=False) as http,
    ):
        yield http


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest) -> httpx.Client:
    """Return a client of either."""
    client: httpx.Client = request.getfixturevalue(request.param)
    return client


@contextmanager
def dying_gateway() -> Iterator[tuple[str, list[bytes]]]:
    """Give the address of a server that ends each connection when a request has come, and what has come."""
    asked: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65_536))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}", asked
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_request_to_a_gateway_that_dies_is_answered_by_another(gateway: Served, tmp_path: Path) -> None:
    with dying_gateway() as (address, asked), nginx_before(tmp_path, address, gateway.address) as http:
        answers = [http.post("/graphql", json={"query": "{ stats { packageCount } }"}) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"data": {"stats": {"packageCount": 300}}}] * 2
    assert len(asked) == 1
    assert asked[0].startswith(b"POST /graphql")


def test_an_answer_comes_through(proxy: httpx.Client) -> None:
    answer = proxy.post("/graphql", json={"query": "{ stats { packageCount } }"})
    assert answer.json() == {"data": {"stats": {"packageCount": 300}}}


def test_an_answer_is_kept_as_long_as_the_gateway_says(nginx: httpx.Client) -> None:
    query = {"query": "{ stats { packageCount } }"}
    answers = [nginx.get("/graphql", params=query) for _ in range(3)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT", "HIT"]
    assert len({answer.content for answer in answers}) == 1
    failed = [nginx.get("/graphql", params={"query": "{ nothing }"}) for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer in failed] == ["MISS", "MISS"]


def test_parts_of_a_file_come_from_the_cache(nginx: httpx.Client) -> None:
    path = nginx.get("/catalog/latest/packages.parquet").headers["Location"]
    whole = nginx.get(path)
    assert (whole.status_code, whole.headers["X-Cache"]) == (200, "MISS")
    part = nginx.get(path, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.headers["X-Cache"], part.content) == (206, "HIT", whole.content[4:10])


def test_a_stream_is_passed_on_event_by_event(proxy: httpx.Client, gateway: Served) -> None:
    cursor = gateway.cursor()
    body = {
        "query": "subscription($since: String) { catalogChanged(since: $since) { slug } }",
        "variables": {"since": cursor},
    }
    with proxy.stream("POST", "/graphql", json=body, headers={"Accept": "text/event-stream"}) as stream:
        gateway.upstream.catalog.update_package(1599, title=f"passed on by {proxy.base_url}")
        gateway.crawl()
        data = (line.removeprefix("data:") for line in stream.iter_lines() if line.startswith("data:"))
        event = json.loads(next(data))
    assert event["data"]["catalogChanged"]["slug"] == "django-celery-email"


def test_a_websocket_is_passed_on(proxy: httpx.Client) -> None:
    address = f"ws://{proxy.base_url.netloc.decode()}/graphql"
    with connect(address, subprotocols=[GRAPHQL_TRANSPORT_WS], open_timeout=30) as websocket:
        websocket.send('{"type": "connection_init"}')
        assert json.loads(websocket.recv(30)) == {"type": "connection_ack"}


def test_the_metrics_are_for_the_operator_alone(proxy: httpx.Client) -> None:
    assert proxy.get("/metrics").status_code == 404
    assert proxy.get("/readyz").status_code == 200
