"""Loads in batches for one request: keys that are wanted in one turn of the event loop are loaded together."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from aiodataloader import DataLoader

from engine import MustWait
from telemetry import span
from upstream.client import Record

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
LoadBatch = Callable[[Sequence[Any]], Awaitable[list[Any]]]


class Batches:
    """Tracks the batches of one request that are under way."""

    def __init__(self, *, may_wait: bool = True) -> None:
        self.asked_upstream = False
        """Whether a record was requested that the catalog does not have."""
        self.found: list[Record] = []
        """The records that upstream has shown and that the catalog of the request lacks, or has by another slug."""
        self._may_wait = may_wait
        self._running: set[asyncio.Task[Any]] = set()
        self._ended = False

    def check_may_wait(self) -> None:
        """Check that the request may wait.

        :raises MustWait: it is to be answered at once.
        """
        if not self._may_wait:
            raise MustWait

    def ask_upstream(self) -> None:
        """Note that a record is requested that the catalog does not have.

        :raises MustWait: the request is to be answered at once.
        """
        self.check_may_wait()
        self.asked_upstream = True

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Mark the current task as running a batch while this is entered."""
        task = asyncio.current_task()
        assert task is not None
        if self._ended:
            raise asyncio.CancelledError
        self._running.add(task)
        try:
            yield
        finally:
            self._running.discard(task)

    def end(self) -> None:
        """End the batches that run, and let no more begin."""
        self._ended = True
        for task in self._running:
            task.cancel()


class BatchLoader(DataLoader[K, V]):
    """Loads the keys of one turn of the event loop together, with the other batches of its request."""

    def __init__(
        self, load_batch: LoadBatch, batches: Batches, loaded: dict[K, Future[V]] | None = None
    ) -> None:
        self._loaded: dict[K, Future[V]] = {} if loaded is None else loaded
        super().__init__(cache_map=self._loaded)
        self._load_batch = load_batch
        self._batches = batches

    def load(self, key: K) -> Future[V]:
        """Return the value for the key, from the next batch or from an earlier one."""
        self._batches.ask_upstream()
        return super().load(key)

    async def batch_load_fn(self, keys: Sequence[K]) -> list[Any]:
        """Return the batch as aiodataloader calls it."""
        try:
            with self._batches.under_way(), span("gateway.batch") as traced:
                traced.set("gateway.batch.keys", len(keys))
                return await self._load_batch(keys)
        except asyncio.CancelledError:
            # aiodataloader would let whoever waits for them wait for ever.
            for key in keys:
                self._loaded[key].cancel()
            raise
