"""Tests a gateway that is told to stop. It answers running requests, takes no new ones, and ends in order."""

from __future__ import annotations

import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.forked_programs import ForkedProgram
from tests.support.http_servers import free_port, serving
from tests.support.processes import running_forked
from upstream.embedded import EmbeddedUpstream

QUERY = {"query": "{ package(databaseId: 1599) { title } }"}


def ended_well(gateway: ForkedProgram, stop: signal.Signals) -> bool:
    """Return whether it ended by itself, without a complaint. Uvicorn gives the signal that stopped it as its
    status."""
    assert gateway.stdout is not None
    status, said = gateway.wait(60), gateway.stdout.read()
    return status in (0, -stop) and "Traceback" not in said


def test_a_request_that_runs_is_answered_before_the_gateway_goes(tmp_path: Path) -> None:
    upstream = EmbeddedUpstream(packages=20, latency=1.0)
    address = f"http://127.0.0.1:{free_port()}"
    storage = tmp_path / "catalog.sqlite"
    with serving(upstream) as upstream_address, ThreadPoolExecutor(1) as others:
        command = ["server.py", "serve", "--port", address.rpartition(":")[2]]
        environment = {
            "GATEWAY_UPSTREAM": f"{upstream_address}/api/v4/",
            "GATEWAY_CRAWL": "off",
            "GATEWAY_STORAGE": str(storage),
        }
        with running_forked(command, f"{address}/healthz", **environment) as gateway:
            asking = others.submit(httpx.post, f"{address}/graphql", json=QUERY, timeout=60)
            while not upstream.requests.total:
                time.sleep(0.01)
            gateway.send_signal(signal.SIGTERM)
            refused = False
            while not (refused or asking.done()):
                try:
                    httpx.get(f"{address}/healthz", timeout=60)
                except httpx.TransportError:
                    refused = True
            assert refused
            assert asking.result().json()["data"]["package"]["title"]
            assert ended_well(gateway, signal.SIGTERM)
    # The write-ahead log is folded into the file when the last connection closes in order.
    assert [path.name for path in tmp_path.iterdir() if "wal" in path.name] == []
    assert sqlite3.connect(storage).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_goes_at_once(stop: signal.Signals) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    command = ["server.py", "serve", "--port", address.rpartition(":")[2]]
    with running_forked(command, f"{address}/healthz") as gateway:
        gateway.send_signal(stop)
        assert ended_well(gateway, stop)
