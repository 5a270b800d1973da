"""A gateway that is stopped in the middle of a crawl for longer than its lease: it never publishes what it has read."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import ExitStack

from starlette.types import Receive, Scope, Send

from tests.support.gateway_processes import until
from tests.support.http_servers import serving
from tests.support.sharing_replicas import Replica, agree, one_leads
from tests.support.valkey_servers import ValkeyServer
from upstream.embedded import EmbeddedUpstream


class Gate:
    """Keeps the requests behind the first page of a list waiting until it is opened."""

    def __init__(self, embedded: EmbeddedUpstream) -> None:
        self._embedded = embedded
        self.reached, self.opened = threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"offset=100" in scope.get("query_string", b""):
            self.reached.set()
            await asyncio.to_thread(self.opened.wait, 120)
        await self._embedded(scope, receive, send)


def test_a_crawler_that_was_stopped_in_a_crawl_does_not_publish_what_it_read(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    gate = Gate(embedded)
    with ExitStack() as opened:
        upstream = opened.enter_context(serving(gate)) + "/api/v4/"
        stopped, other = (Replica(upstream, valkey.url) for _ in range(2))
        for replica in (stopped, other):
            opened.callback(replica.close)
        opened.callback(gate.opened.set)
        stopped.start()
        until(gate.reached.is_set, 120)
        stopped.send(signal.SIGSTOP)
        # What it has read by now lacks this, and the other reads it.
        embedded.catalog.insert_package()
        gate.opened.set()
        other.start()
        until(other.version, 120)
        version = other.version()
        assert version is not None

        def is_published() -> bool:
            named = valkey.client.hget("{djangopackages}:state", "catalog")
            return version in str(named)

        until(is_published)
        stopped.send(signal.SIGCONT)
        until(lambda: agree([stopped, other]) and one_leads([stopped, other]), 120)
        assert stopped.version() == version
        assert is_published()
