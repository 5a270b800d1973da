"""Tests a Valkey server that can be read and not written: the gateways say why, answer from memory, and go on
afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import httpx
import pytest

from tests.support.gateway_in_process import app_of, client_of
from tests.support.gateway_processes import CANONICAL, eventually
from tests.support.port_forwarding import forwarding
from tests.support.settings_for_tests import SCHEDULE
from tests.support.sharing_gateways import all_serve, sharing_source
from tests.support.valkey_servers import ValkeyServer, valkey_server
from upstream.embedded import EmbeddedUpstream

QUICK = replace(SCHEDULE, lease=3.0, look=0.05)


@contextmanager
def full(server: ValkeyServer) -> Iterator[None]:
    server.client.config_set("maxmemory", "1")
    try:
        yield
    finally:
        server.client.config_set("maxmemory", "0")


@contextmanager
def a_replica(server: ValkeyServer) -> Iterator[None]:
    server.client.replicaof("127.0.0.1", "1")
    try:
        yield
    finally:
        server.client.replicaof("NO", "ONE")


@contextmanager
def read_only_for_its_user(server: ValkeyServer) -> Iterator[None]:
    server.client.acl_setuser("adalovelace", categories=["-@write", "-@scripting"])
    try:
        yield
    finally:
        server.client.acl_setuser("adalovelace", categories=["+@all"])


@pytest.mark.parametrize(
    ("refusing", "reason"),
    [
        (full, "the server is full; raise its maxmemory."),
        (a_replica, "the server is a replica that cannot be written; name the primary."),
        (read_only_for_its_user, "the server does not let this user do it (the user has no permissions "),
    ],
)
async def test_a_server_that_cannot_be_written_costs_no_answer_and_has_its_sentence(
    embedded: EmbeddedUpstream,
    valkey: ValkeyServer,
    refusing: Callable[[ValkeyServer], AbstractContextManager[None]],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    valkey.client.acl_setuser(
        "adalovelace", enabled=True, passwords=["+secret"], keys=["*"], channels=["*"], categories=["+@all"]
    )
    caplog.set_level(logging.INFO)
    url = valkey.url.replace("//", "//adalovelace:secret@")
    async with client_of(app_of(sharing_source(embedded, url, schedule=QUICK))) as http:
        await until_it_says(http, None)
        await eventually(lambda: valkey.client.exists("{djangopackages}:state"))
        crawled = pages_behind_the_first(embedded)
        with refusing(valkey):
            await until_it_says(http, f"The storage cannot be used: {reason}")
            answer = (await http.post("/graphql", json={"query": CANONICAL})).json()
            assert "errors" not in answer
            assert answer["data"]["package"]
        await until_it_says(http, None)
    refused, again = (text for text in caplog.messages if text.startswith("The storage"))
    assert refused.startswith(f"The storage {valkey.url} cannot be used: {reason}")
    assert again == "The storage can be used again."
    assert "adalovelace" not in caplog.text
    # Nobody has crawled again.
    assert pages_behind_the_first(embedded) == crawled > 0


def pages_behind_the_first(embedded: EmbeddedUpstream) -> int:
    """Return how many requests there were that only a crawl sends."""
    targets = embedded.requests.by_target.items()
    return sum(times for target, times in targets if "offset=" in target and "offset=0" not in target)


async def until_it_says(http: httpx.AsyncClient, begin: str | None) -> None:
    """Wait until a gateway that has a catalog tells this failure of its storage, or none if that is ``None``."""
    async with asyncio.timeout(60):
        while True:
            told = (await http.get("/readyz")).json()
            error = told["storageError"]
            if told["catalog"]["version"] and (
                error is None if begin is None else (error or "").startswith(begin)
            ):
                return
            await asyncio.sleep(0.02)


async def test_after_a_failover_gateways_go_on_at_the_node_to_which_the_name_leads(
    embedded: EmbeddedUpstream,
) -> None:
    # The second keeps what it gets from the first in memory alone.
    without_a_disk = ("--repl-diskless-load", "swapdb")
    with (
        valkey_server() as first,
        valkey_server(*without_a_disk) as second,
        forwarding(first.port) as name,
    ):
        second.client.replicaof("127.0.0.1", str(first.port))
        url = f"valkey://127.0.0.1:{name.port}/0"
        async with (
            sharing_source(embedded, url, schedule=QUICK) as one,
            sharing_source(embedded, url, schedule=QUICK) as two,
        ):
            await eventually(lambda: one.latest and two.latest)
            await eventually(lambda: second.client.exists("{djangopackages}:state"))
            crawled = pages_behind_the_first(embedded)
            first.kill()
            second.client.replicaof("NO", "ONE")
            name.to = second.port
            await eventually(lambda: one.leader.leads != two.leader.leads)
            await eventually(lambda: not one.health().storage_error and not two.health().storage_error)
            assert pages_behind_the_first(embedded) == crawled > 0
            leader = one if one.leader.leads else two
            new = embedded.catalog.insert_package()
            await leader.crawl()
            await all_serve(leader, one, two)
            assert two.latest is not None
            assert new in two.latest.catalog.packages
