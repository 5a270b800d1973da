"""Provides a batcher over an upstream whose answers the test holds back, so that it decides what overtakes what."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from starlette.types import Receive, Scope, Send

from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.api_client_limits import ClientLimits
from upstream.client.concurrency_limiter import Limiter
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import UpstreamError
from upstream.client.v4_records import GRID, PACKAGE, PackageRecord, Page
from upstream.embedded import EmbeddedUpstream

URL = "http://upstream.test/api/v4/"

Found = dict[int | str, PackageRecord | UpstreamError | None]


class Unmeasured(Limiter):
    """Breaks down where an answer has come and its time is to be noted."""

    def __init__(self, defect: Exception) -> None:
        super().__init__()
        self._defect = defect

    def succeeded(self, seconds: float, nominal: float, sort: str = "", among: int = 0) -> None:
        raise self._defect


class HeldBatcher:
    """``asked`` are the requests that came to upstream, in order, and ``left`` those that were given up."""

    def __init__(self, embedded: EmbeddedUpstream, limits: ClientLimits, clock: Callable[[], float]) -> None:
        self.embedded = embedded
        self.client = Client(URL, in_process(self._app), limits, clock=asyncio.get_running_loop().time)
        self.batcher = Batcher(self.client, BUDGET, clock)
        self.ids = sorted(embedded.catalog.packages, reverse=True)
        """Of all packages, in the order of their list."""
        self.asked: list[str] = []
        self.left: list[str] = []
        self.doubled: list[str] = []
        """The requests that came while an equal one was under way."""
        self.turns: Callable[[], int] = lambda: 0
        """How many turns of the loop an answer takes."""
        self._came = asyncio.Event()
        self._under_way: Counter[str] = Counter()
        self._held: list[tuple[str, asyncio.Future[None]]] = []
        self._holding = False

    def know_positions(self) -> None:
        """Let the batcher know the lists, as it does after a crawl."""
        self.batcher.positions[PACKAGE.singular].saw_all(self.ids)
        self.batcher.positions[GRID.singular].saw_all(sorted(self.embedded.catalog.grids, reverse=True))

    def hold(self) -> None:
        """Let requests wait for their answers from now on."""
        self._holding = True

    def answer(self, target: str = "") -> None:
        """Answer the held requests whose target has this text in it."""
        for held, turn in self._held:
            if target in held and not turn.done():
                turn.set_result(None)

    def answer_all(self) -> None:
        """Answer what is held and what comes."""
        self._holding = False
        self.answer()

    def fetch(self, *keys: int | str) -> asyncio.Task[Found]:
        """Someone who wants packages."""
        return asyncio.create_task(self.batcher.fetch(PACKAGE, keys))

    def page(self, limit: int, offset: int) -> asyncio.Task[Page[PackageRecord]]:
        """Someone who wants a page of the packages."""
        return asyncio.create_task(self.batcher.page(PACKAGE, limit=limit, offset=offset))

    def crawl(self, limit: int, offset: int) -> asyncio.Task[Page[PackageRecord]]:
        """Return the crawl, which wants a page of the packages."""
        return asyncio.create_task(self.batcher.crawl_page(PACKAGE, limit=limit, offset=offset))

    async def requests_came(self, requests: int) -> None:
        """Wait until so many requests have come, and make sure that no more do."""
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                while len(self.asked) < requests:
                    self._came.clear()
                    await self._came.wait()
        await settle()
        assert len(self.asked) == requests, self.asked

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"].decode()
        target = scope["path"].removeprefix("/api/v4") + (f"?{query}" if query else "")
        self.asked.append(target)
        self._came.set()
        if self._under_way[target]:
            self.doubled.append(target)
        self._under_way[target] += 1
        try:
            await self._wait(target)
            await self.embedded(scope, receive, send)
        except asyncio.CancelledError:
            self.left.append(target)
            raise
        finally:
            self._under_way[target] -= 1

    async def _wait(self, target: str) -> None:
        for _ in range(self.turns()):
            await asyncio.sleep(0)
        if self._holding:
            turn = asyncio.get_running_loop().create_future()
            self._held.append((target, turn))
            await turn


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def held_batcher(
    embedded: EmbeddedUpstream,
    *,
    attempts: int = 1,
    in_flight: int = 32,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[HeldBatcher]:
    """Hold an upstream back, on which nothing may be left behind. ``in_flight`` requests can be under way at a
    time."""
    limits = replace(
        CLIENT_LIMITS, attempts=attempts, lowest_in_flight=in_flight, highest_in_flight=in_flight
    )
    held = HeldBatcher(embedded, limits, clock)
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, report: reports.append(report))
    yield held
    held.answer_all()
    await settle()
    assert held.batcher.under_way == 0
    assert held.doubled == []
    assert held.client.exchanger.limiter.in_flight == 0
    await held.batcher.aclose()
    await held.client.aclose()
    assert reports == []


async def settle() -> None:
    """Let everything happen that waits for nothing but its turn in the loop."""
    for _ in range(100):
        await asyncio.sleep(0)
