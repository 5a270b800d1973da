"""Tests a gateway that is told to end while it crawls. The crawl ends with it at once, whatever upstream does."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.gateway_processes import until
from tests.support.http_servers import free_port, serving
from tests.support.processes import running_forked
from upstream.embedded import Effect, EmbeddedCatalog, EmbeddedUpstream, Fault, Latency, WrongCount

HIGH = 10**9


def upstream_with(effect: Effect) -> EmbeddedUpstream:
    """Return an upstream whose ids leave room for any count."""
    catalog = EmbeddedCatalog()
    catalog.insert_category()
    for number in range(1300):
        catalog.insert_package(id=HIGH + number)
    embedded = EmbeddedUpstream(catalog=catalog, latency=0.02)
    embedded.faults.add(Fault(effect))
    return embedded


@pytest.mark.parametrize("effect", [WrongCount(100_000), Latency(60)])
def test_a_signal_ends_the_process_during_a_crawl(effect: Effect, tmp_path: Path) -> None:
    embedded = upstream_with(effect)
    port = free_port()
    command = ["server.py", "serve", "--port", str(port)]
    with serving(embedded) as address:
        settings = {
            "GATEWAY_UPSTREAM": f"{address}/api/v4/",
            "GATEWAY_STORAGE": str(tmp_path / "catalog.sqlite"),
        }
        with running_forked(command, f"http://127.0.0.1:{port}/healthz", **settings) as process:
            until(lambda: embedded.requests.total >= 1)
            begun = time.monotonic()
            os.kill(process.pid, signal.SIGTERM)
            process.wait(timeout=60)
            seconds = time.monotonic() - begun
            assert process.stdout is not None
            printed = process.stdout.read()
    # It takes a second on a quiet machine, including the end of Python itself.
    assert seconds < 20
    assert "Traceback" not in printed
