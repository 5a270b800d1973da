"""Tests three gateways behind nginx, on one Valkey server: whatever is killed or hangs, what is known is answered."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.paced_load import PacedLoad
from tests.support.forked_programs import run_forked
from tests.support.gateway_processes import CANONICAL, STATUS, until
from tests.support.http_servers import serving
from tests.support.nginx_before_gateways import nginx_before
from tests.support.required_programs import need
from tests.support.sharing_replicas import Replica, agree, one_leads
from tests.support.valkey_servers import ValkeyServer, valkey_server
from upstream.embedded import EmbeddedUpstream

RATE = 200
"""Requests a second, from the first event to the last; they take 0.3 ms of processor time each, with nginx and the
gateways."""

LONGEST_DISAGREEMENT = 30
"""Seconds after which all serve what was stored. It is promised within 2; this machine may be busy."""

LOOK = 3
"""Requests of a look at the heads of the lists, which a gateway makes that takes over."""


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


def pages_behind_the_first(embedded: EmbeddedUpstream) -> int:
    """Return how many requests there were that only a crawl sends."""
    targets = embedded.requests.by_target.items()
    return sum(times for target, times in targets if "offset=" in target and "offset=0" not in target)


def crawl_by_hand(upstream: str, storage: str) -> None:
    environment = {"GATEWAY_STORAGE": storage, "PATH": "/usr/bin:/bin"}
    done = run_forked(["server.py", "sync", "--upstream", upstream], environment, timeout=120)
    assert done.returncode == 0, done.stderr


def test_nothing_that_dies_or_hangs_costs_an_answer(
    embedded: EmbeddedUpstream, server: ValkeyServer, tmp_path: Path
) -> None:
    need("nginx")
    with ExitStack() as opened:
        upstream = opened.enter_context(serving(embedded)) + "/api/v4/"
        replicas = [Replica(upstream, server.url) for _ in range(3)]
        for replica in replicas:
            opened.callback(replica.close)
            replica.start()
        until(lambda: agree(replicas) and one_leads(replicas), 120)
        crawl, pages = embedded.requests.total, pages_behind_the_first(embedded)
        assert pages
        addresses = [replica.address for replica in replicas]
        http = opened.enter_context(nginx_before(tmp_path, *addresses, patience="10s"))
        load = PacedLoad(str(http.base_url), CANONICAL, found=b'"package":{', rate=RATE)
        takeovers = 0
        with load.running():
            # The crawler dies, and comes back as another one that follows.
            leader = until(lambda: one_leads(replicas))
            others = [replica for replica in replicas if replica is not leader]
            leader.kill()
            follower = next(other for other in others if other is not until(lambda: one_leads(others), 60))
            takeovers += 1
            leader.start()
            until(lambda: agree(replicas), 120)
            # One that follows dies.
            follower.kill()
            follower.start()
            until(lambda: agree(replicas) and one_leads(replicas), 120)
            # The server dies, and comes back without its data.
            server.kill()
            until(lambda: all(replica.storage() == "fails" for replica in replicas))
            server.start()
            until(lambda: all(replica.storage() == "works" for replica in replicas))
            until(lambda: one_leads(replicas), 60)
            takeovers += 1
            # The server hangs for a while.
            answered = len(load.times)
            with server.hanging():
                until(lambda: all(replica.storage() == "fails" for replica in replicas), 60)
                until(lambda: len(load.times) > answered + RATE, 120)
            until(lambda: all(replica.storage() == "works" for replica in replicas), 60)
            until(lambda: one_leads(replicas), 60)
            takeovers += 1
            # Upstream dies, and comes back.
            embedded.faults.state = "down"
            answered = len(load.times)
            until(lambda: len(load.times) > answered + RATE, 120)
            embedded.faults.state = "up"
            # The crawler hangs for longer than its lease.
            leader = until(lambda: one_leads(replicas))
            others = [replica for replica in replicas if replica is not leader]
            leader.send(signal.SIGSTOP)
            try:
                until(lambda: one_leads(others), 60)
                takeovers += 1
            finally:
                leader.send(signal.SIGCONT)
            until(lambda: agree(replicas) and one_leads(replicas), 60)
            # As one gateway asks: one crawl, and a look at the lists whenever another takes over. One can lose the
            # lease for a moment where the machine is busy.
            assert pages_behind_the_first(embedded) == pages
            assert embedded.requests.total <= crawl + 4 * takeovers * LOOK
            # A crawl by hand is served by all.
            embedded.catalog.insert_package()
            before = replicas[0].version()
            crawl_by_hand(upstream, server.url)
            until(lambda: agree(replicas) and replicas[0].version() != before, LONGEST_DISAGREEMENT)
        assert load.wrong == []
        assert len(load.times) > 10 * RATE
        assert http.post("/graphql", json={"query": STATUS}).json()["data"]["catalog"]["packageCount"] == 301
