"""Tests several processes that share one catalog file. One crawls, all serve, and a dead crawler is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import server
from tests.support.crawls import crawled
from tests.support.gateway_processes import (
    SERVE_WITH_A_SHORT_LEASE,
    STATUS,
    Holding,
    ask,
    catalog_of,
    gateway,
    sync,
    until,
    upstream_requests,
)
from tests.support.http_servers import serving
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return EmbeddedUpstream(packages=250)


@pytest.fixture
def upstream(embedded: EmbeddedUpstream) -> Iterator[str]:
    with serving(embedded) as address:
        yield f"{address}/api/v4/"


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


def one_crawl(catalog: EmbeddedCatalog) -> Counter[str]:
    """Return the requests of one crawl, with their counts."""
    embedded = EmbeddedUpstream(catalog=catalog)
    asyncio.run(crawled(embedded))
    return embedded.requests.by_target


def version(client: httpx.Client) -> str | None:
    """Return the version that the worker which takes the connection serves."""
    known: str | None = ask(client, STATUS)["data"]["catalog"]["version"]
    return known


def comes_to_serve(client: httpx.Client, wanted: str) -> None:
    """Wait until it serves this version."""
    until(lambda: version(client) == wanted)


def is_there(client: httpx.Client) -> bool:
    """Return whether its process is alive."""
    with suppress(httpx.TransportError):
        return client.get("/healthz").status_code == 200
    return False


def crawler(storage: Path) -> int | None:
    """Return the id of the process that holds the lease."""
    with closing(sqlite3.connect(storage)) as connection:
        row = connection.execute("SELECT holder FROM lease").fetchone()
    return int(row[0].rsplit("-", 2)[1]) if row else None


def test_of_two_workers_one_crawls_and_both_serve(
    embedded: EmbeddedUpstream, upstream: str, storage: Path
) -> None:
    once = one_crawl(embedded.catalog)
    with gateway(upstream, storage, "--workers", "2") as client:
        # Each connection goes to either worker.
        known = until(lambda: len(found := {version(client) for _ in range(20)}) == 1 and found.pop())
        assert embedded.requests.by_target == once
        pid = crawler(storage)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert {version(client) for _ in range(20)} == {known}
    assert known == catalog_of(upstream).version


def test_of_two_processes_one_crawls_and_the_other_takes_what_it_found(
    embedded: EmbeddedUpstream, upstream: str, storage: Path
) -> None:
    first = catalog_of(upstream).version
    embedded.requests.reset()
    once = one_crawl(embedded.catalog)
    program = SERVE_WITH_A_SHORT_LEASE
    with (
        gateway(upstream, storage, program=program) as one,
        gateway(upstream, storage, program=program) as other,
    ):
        comes_to_serve(one, first)
        comes_to_serve(other, first)
        assert embedded.requests.by_target == once
        assert {sum(upstream_requests(client).values()) for client in (one, other)} == {0, once.total()}

        embedded.catalog.update_package(1599, title="renamed")
        embedded.requests.reset()
        sync(upstream, storage)
        assert embedded.requests.by_target == once  # None of these is about the two packages.
        second = catalog_of(upstream).version
        for client in (one, other):
            comes_to_serve(client, second)
            assert ask(client, "{ package(databaseId: 1599) { title } }")["data"] == {
                "package": {"title": "renamed"}
            }
        assert {sum(upstream_requests(client).values()) for client in (one, other)} == {0, once.total()}
    assert second != first


def test_a_crawler_that_is_killed_in_its_first_crawl_is_replaced(
    embedded: EmbeddedUpstream, storage: Path
) -> None:
    once = one_crawl(embedded.catalog)
    holding = Holding(embedded, b"offset=200")
    program = SERVE_WITH_A_SHORT_LEASE
    with serving(holding) as address, gateway(f"{address}/api/v4/", storage, program=program) as killed:
        assert holding.reached.wait(30)
        pid = crawler(storage)
        assert pid is not None
        with gateway(f"{address}/api/v4/", storage, program=program) as other:
            assert (version(killed), version(other), upstream_requests(other)) == (None, None, {})
            assert crawler(storage) == pid
            os.kill(pid, signal.SIGKILL)
            holding.refuses.set()
            embedded.requests.reset()
            found = until(lambda: version(other))
            assert embedded.requests.by_target == once
            assert found == catalog_of(f"{address}/api/v4/").version
            assert crawler(storage) not in (None, pid)


def test_a_crawler_that_is_killed_later_is_replaced(
    embedded: EmbeddedUpstream, upstream: str, storage: Path
) -> None:
    program = SERVE_WITH_A_SHORT_LEASE
    with gateway(upstream, storage, program=program) as killed:
        first = until(lambda: version(killed))
        pid = crawler(storage)
        assert pid is not None
        with gateway(upstream, storage, program=program) as other:
            assert version(other) == first
            # Only a whole crawl sees both, because one is old and one is gone.
            embedded.catalog.update_package(1599, title="renamed")
            embedded.catalog.remove_package(683)
            second = catalog_of(upstream).version
            os.kill(pid, signal.SIGKILL)
            comes_to_serve(other, second)
            assert crawler(storage) not in (None, pid)


LOOK = Counter(f"/api/v4/{kind}/?limit=20&offset=0" for kind in ("packages", "grids", "categories"))


def test_a_restart_over_a_fresh_catalog_is_one_look(
    embedded: EmbeddedUpstream, upstream: str, storage: Path
) -> None:
    with gateway(upstream, storage) as client:
        first = until(lambda: version(client))
    embedded.requests.reset()
    with gateway(upstream, storage) as client:
        assert version(client) == first
        until(lambda: upstream_requests(client) == {"answered": 3.0})
        assert embedded.requests.by_target == LOOK


def test_a_takeover_over_a_fresh_catalog_is_one_look(
    embedded: EmbeddedUpstream, upstream: str, storage: Path
) -> None:
    program = SERVE_WITH_A_SHORT_LEASE
    with (
        gateway(upstream, storage, program=program) as killed,
        gateway(upstream, storage, program=program) as other,
    ):
        first = until(lambda: version(killed))
        comes_to_serve(other, first)
        pid = crawler(storage)
        assert pid is not None
        embedded.requests.reset()
        os.kill(pid, signal.SIGKILL)
        until(lambda: crawler(storage) not in (None, pid))
        until(lambda: embedded.requests.total >= 3)
        # Whatever it asks after its look would have been asked by the time it has answered a few requests.
        left = next(client for client in (killed, other) if is_there(client))
        assert [version(left) for _ in range(20)] == [first] * 20
        assert embedded.requests.by_target == LOOK


def test_a_gateway_of_another_upstream_does_not_start_on_the_file(upstream: str, storage: Path) -> None:
    sync(upstream, storage)
    stored = storage.read_bytes()
    environment = {"GATEWAY_STORAGE": str(storage), "GATEWAY_UPSTREAM": "embedded"}
    for command in (["serve", "--port", "0"], ["sync"], ["query", "{ __typename }"]):
        done = server(*command, **environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"The catalog file {storage} cannot be used: it has the catalog of another upstream; set "
            "GATEWAY_STORAGE to another file, or remove this one.\n"
        )
    assert storage.read_bytes() == stored
