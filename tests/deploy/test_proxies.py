"""The examples of proxies in deploy/: nginx and Caddy take them, and nginx does with the gateway what they are for."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from websockets.sync.client import connect

from tests.deploy.conftest import Tool
from tests.support.http_servers import free_port
from tests.support.processes import ROOT, running
from tests.support.required_programs import need
from tests.support.streaming_gateway import GRAPHQL_TRANSPORT_WS, Served, served

NGINX = ROOT / "deploy" / "nginx"
AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{inside}
}}
"""
"""What stands around the files of conf.d, for an nginx that is nobody's."""


def test_caddy_takes_its_example(tool: Tool) -> None:
    assert "Valid configuration" in tool("caddy", "validate", "--config", str(ROOT / "deploy" / "Caddyfile"))


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
    """Run nginx with the files of deploy/, but for its port, its gateway and its folder."""
    need("nginx")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    texts = [path.read_text(encoding="utf-8") for path in sorted(NGINX.glob("*.conf"))]
    assert len(texts) == 2
    inside = "\n".join(texts)
    for ours, theirs in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server 127.0.0.1:8000;": f"server {gateway.address.removeprefix('http://')};",
        "/var/cache/nginx": str(folder),
    }.items():
        assert inside.count(ours) == 1
        inside = inside.replace(ours, theirs)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, inside=inside), encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    address = f"http://127.0.0.1:{port}"
    with running(command, f"{address}/healthz"), httpx.Client(base_url=address, timeout=30) as http:
        yield http


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


def test_a_stream_is_passed_on_event_by_event(nginx: httpx.Client, gateway: Served) -> None:
    cursor = gateway.cursor()
    body = {
        "query": "subscription($since: String) { catalogChanged(since: $since) { slug } }",
        "variables": {"since": cursor},
    }
    with nginx.stream("POST", "/graphql", json=body, headers={"Accept": "text/event-stream"}) as stream:
        gateway.upstream.catalog.update_package(1599, title="passed on")
        gateway.crawl()
        data = (line.removeprefix("data:") for line in stream.iter_lines() if line.startswith("data:"))
        event = json.loads(next(data))
    assert event["data"]["catalogChanged"]["slug"] == "django-celery-email"


def test_a_websocket_is_passed_on(nginx: httpx.Client) -> None:
    address = f"ws://{nginx.base_url.netloc.decode()}/graphql"
    with connect(address, subprotocols=[GRAPHQL_TRANSPORT_WS], open_timeout=30) as websocket:
        websocket.send('{"type": "connection_init"}')
        assert json.loads(websocket.recv(30)) == {"type": "connection_ack"}


def test_the_metrics_are_for_the_operator_alone(nginx: httpx.Client) -> None:
    assert nginx.get("/metrics").status_code == 404
    assert nginx.get("/readyz").status_code == 200
