"""Runs for as long as the process lives: crawls while this process leads, or else loads what the leader has stored.

Among the processes that share a storage, the leader is the one that holds its lease. When the leader dies, its lease
runs out and another process takes over.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf

from catalog.storage.storage_port import StoragePort
from catalog.sync.new_record_detection import probe
from catalog.sync.publisher import Publisher
from catalog.sync.refresh_backoff import Attempts, varied
from catalog.sync.refresher import Refresher
from catalog.sync.schedule import Schedule
from upstream.batching import Batcher
from upstream.client import StorageAway, StorageUnavailable

_log = logging.getLogger(__name__)


class LeaderLoop:
    """Decides when to crawl, to look for what is new, and to take what another process stored."""

    def __init__(
        self,
        batcher: Batcher,
        storage: StoragePort,
        publisher: Publisher,
        refresher: Refresher,
        schedule: Schedule,
        fresh: float,
        news: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """``fresh`` is the age in seconds up to which a catalog is fresh. ``news`` waits until something
        new may be stored, up to the seconds that it is given.
        """
        self._batcher = batcher
        self._storage = storage
        self._publisher = publisher
        self._refresher = refresher
        self._schedule = schedule
        self._news = news
        self._leased_until = -inf
        """The time of the event loop until which the last lease of this process certainly holds."""
        self._is_alone = False
        """Whether the server that gateways share is unavailable, so that nobody knows who leads."""
        self._alone_after = fresh * random.uniform(1.0, 1.25)
        self._alone_without = schedule.alone * random.uniform(1.0, 3.0)
        self._began = time.monotonic()
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{random.randbytes(4).hex()}"
        self.attempts = Attempts(schedule.probe, schedule.first_retry, schedule.longest_retry, schedule.crawl)
        self._accepted = asyncio.Event()
        """Set when another process has accepted the refused crawl, so that there is nothing left to wait for."""
        self.leads = False
        """Whether this process refreshes the catalog."""

    async def run(self) -> None:
        """Follow upstream until cancelled, whatever happens meanwhile."""
        try:
            while True:
                try:
                    if await self._leased():
                        await self._lead()
                    else:
                        await self._follow()
                except Exception as error:  # nobody would begin again
                    await self._fail(error, has_answered=True)
        finally:
            with suppress(StorageUnavailable):
                self._storage.drop_lease(self._holder)

    async def watch(self) -> None:
        """Load what other processes store, without asking upstream, until cancelled."""
        while True:
            try:
                await self._publisher.take_newer()
                await self._publisher.recall_guard()
            except Exception:  # nobody would begin again
                _log.exception("what is stored could not be taken")
            await self._news(self._schedule.look)

    async def _lead(self) -> None:
        """Crawl and look for new records for as long as this process holds the lease."""
        await self._publisher.take_newer()
        await self._publisher.recall_guard(whole=True)
        self.leads = True
        work = asyncio.create_task(self._work())
        try:
            while not work.done() and await self._leased():
                await self._watch_while_leading(work)
        finally:
            self.leads = False
            work.cancel()
            # Not suppress(CancelledError), which would also hide that this process itself is to end.
            await asyncio.gather(work, return_exceptions=True)

    async def _watch_while_leading(self, work: asyncio.Task[None]) -> None:
        """Load what others store, until the lease has to be renewed."""
        until = asyncio.get_running_loop().time() + self._schedule.lease / 3
        while not work.done() and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait([work], timeout=min(left, self._schedule.look))
            await self._take_newer()
            if not self._is_alone:
                await self._publisher.store_again()

    async def _work(self) -> None:
        while True:
            has_answered = not self.attempts.failures_in_a_row
            try:
                if not has_answered:
                    await probe(self._batcher)
                    has_answered = True
                if not self._crawl_is_due() and await self._refresher.look():
                    self._refresher.wanted.set()
                if self._crawl_is_due():
                    await self._refresher.crawl()
            except Exception as error:  # whatever it is, it is tried again
                await self._fail(error, has_answered=has_answered)
                continue
            self.attempts.succeeded()
            with suppress(TimeoutError):
                async with asyncio.timeout(varied(self._schedule.newest)):
                    await self._refresher.wanted.wait()

    async def _fail(self, error: Exception, *, has_answered: bool) -> None:
        """Note that an attempt has failed, and wait until the next one is due."""
        pause = self.attempts.failed(error, has_answered=has_answered)
        # This applies to a look too, because requests must not wait for a refresh while upstream is known to fail.
        self._refresher.failed(error)
        self._accepted.clear()
        # Requests for a crawl are ignored here, so that a failing upstream is not asked more often under load.
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._accepted.wait()

    def _crawl_is_due(self) -> bool:
        snapshot = self._publisher.snapshot
        if snapshot is None or self._refresher.wanted.is_set():
            return True
        return snapshot.is_of_the_future() or snapshot.age() >= varied(self._schedule.crawl)

    async def _follow(self) -> None:
        """Load what another process stores."""
        self.attempts.postpone()
        await self._take_newer(follows=True)
        await self._publisher.recall_guard()
        await self._news(self._schedule.look)

    async def _take_newer(self, *, follows: bool = False) -> None:
        """Load what another process has stored, such as a refused crawl that an operator has accepted."""
        await self._publisher.take_newer(follows=follows)
        if self._refresher.note_acceptance():
            self._accepted.set()

    async def _leased(self) -> bool:
        now = asyncio.get_running_loop().time()
        try:
            leased = await asyncio.to_thread(self._storage.take_lease, self._holder, self._schedule.lease)
        except StorageAway as error:
            # A short outage of the server need not end a crawl that is under way.
            self._publisher.storage_failures.failed("leading", error)
            self._is_alone = True
            return now < self._leased_until or self._may_crawl_alone()
        except StorageUnavailable as error:
            # A process without a file shares with no other.
            _log.warning("%s", error)
            return True
        self._publisher.storage_failures.worked("leading")
        self._is_alone = False
        self._leased_until = now + self._schedule.lease if leased else -inf
        return leased

    def _may_crawl_alone(self) -> bool:
        """Return whether to crawl although others may crawl too. Each gateway begins that at a different time."""
        snapshot = self._publisher.snapshot
        if snapshot is None:
            return time.monotonic() - self._began >= self._alone_without
        return snapshot.age() >= self._alone_after
