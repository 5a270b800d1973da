"""Tracks who waits for what: a pending load for each key or page that is wanted, and the in-flight request that brings
it.

A pending load ends when its last waiter leaves, and an in-flight request ends with its last pending load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from upstream.batching.list_positions import ListPositions
from upstream.batching.request_planning import Window
from upstream.client.exchange_receipt import Exchange, Receipt
from upstream.client.upstream_errors import UpstreamError
from upstream.client.v4_records import Kind, Page, Record, SearchHitRecord

Key = int | str
Hits = tuple[SearchHitRecord, ...]
Outcome = Record | Page[Any] | Hits | UpstreamError | None


@dataclass(eq=False, slots=True)
class PendingLoad:
    """Stands for one key, or one page, that is wanted. Its outcome is a value even if it is an error."""

    kind: Kind[Any]
    key: Key | Window
    outcome: asyncio.Future[Outcome]
    waiters: int = 0
    receipts: dict[Receipt, float] = field(default_factory=dict)
    """The waiters, and since when each of them waits (seconds, monotonic)."""
    request: InFlightRequest | None = None
    """The request that is to bring it. ``None`` before it is sent."""
    doubtful: bool = False
    """Whether only a client has named the key, so that asking for it is charged to the budget."""

    @property
    def has_record(self) -> bool:
        """Return whether it is over, and brought a record."""
        if not self.outcome.done() or self.outcome.cancelled() or self.outcome.exception() is not None:
            return False
        return not isinstance(self.outcome.result(), UpstreamError | None)


@dataclass(eq=False, slots=True)
class InFlightRequest:
    """Holds requests under way, and the pending loads that wait for them: one alone, or all that wait for pages."""

    kind: Kind[Any]
    windows: list[Window]
    """The pages that are still to come; none for a pending load alone. They name no ids, so that equal pages are
    equal."""
    waiting: dict[PendingLoad, None]
    """The pending loads that have not ended, in the order in which they joined."""
    whole: bool = False
    """Whether the pages are the whole list, any of which can hold any record."""
    task: asyncio.Task[None] | None = None
    """The task that runs it, which is cancelled when nobody waits any more. ``None`` for a page of the crawl, which
    only the crawl ends, and when all pages have come."""

    def brings(self, first: int, last: int) -> bool:
        """Return whether a record with these bounds must be on a page that is still to come, if it exists."""
        if not self.whole:
            return any(window.covers(first, last) for window in self.windows)
        return first <= last and any(
            window.offset <= last and first < window.offset + window.limit for window in self.windows
        )

    def note(self, exchange: Exchange) -> None:
        """Note an exchange once on the receipt of everyone who waits for it."""
        asked: dict[Receipt, float] = {}
        for load in self.waiting:
            for receipt, since in load.receipts.items():
                asked[receipt] = min(since, asked.get(receipt, since))
        for receipt, since in asked.items():
            receipt.note(replace(exchange, asked=since))


class PendingLoads:
    """Holds all pending loads and in-flight requests of one process. ``positions`` tell which page must bring a
    record."""

    def __init__(self, positions: Mapping[str, ListPositions]) -> None:
        self._positions = positions
        self._loads: dict[tuple[str, Key | Window], PendingLoad] = {}
        self._requests: dict[str, list[InFlightRequest]] = {kind: [] for kind in positions}

    def __len__(self) -> int:
        return len(self._loads) + sum(map(len, self._requests.values()))

    def find(self, kind: Kind[Any], key: Key | Window) -> PendingLoad | None:
        """Return the pending load for this key, if there is one."""
        return self._loads.get((kind.singular, key))

    def add(self, load: PendingLoad) -> None:
        """Let others find this pending load."""
        self._loads[load.kind.singular, load.key] = load

    async def wait_for(self, loads: Iterable[PendingLoad]) -> None:
        """Wait for the pending loads. The wait may be ended at any time."""
        for load in loads:
            load.waiters += 1
        try:
            for load in loads:
                await asyncio.shield(load.outcome)
        finally:
            for load in loads:
                load.waiters -= 1
                if not load.waiters:
                    self.cancel(load)

    # These handle in-flight requests.

    def open(self, request: InFlightRequest) -> None:
        """Let pending loads wait for the pages of a request."""
        self._requests[request.kind.singular].append(request)

    def close(self, request: InFlightRequest) -> None:
        """Let nobody wait for a request any more."""
        requests = self._requests[request.kind.singular]
        if request in requests:
            requests.remove(request)

    def join(self, load: PendingLoad) -> bool:
        """Let a pending load wait for a page under way that must bring it, if there is one."""
        key, requests = load.key, self._requests[load.kind.singular]
        if not requests or isinstance(key, str):
            return False
        if isinstance(key, int):
            first, last = self._positions[load.kind.singular].bounds(key)
            bringing = (request for request in requests if request.brings(first, last))
        else:
            bringing = (request for request in requests if key in request.windows)
        load.request = next(bringing, None)
        if load.request is None:
            return False
        load.request.waiting[load] = None
        return True

    # These end pending loads.

    def settle(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        """Give the outcome to all who wait for this key."""
        load = self.find(kind, key)
        if load is not None:
            load.outcome.set_result(outcome)
            self._remove(load)

    def cancel(self, load: PendingLoad) -> None:
        """End a pending load, unless it is over. All who still wait are cancelled."""
        if load.outcome.cancel():
            self._remove(load)

    def cancel_all(self) -> None:
        """End every pending load."""
        for load in list(self._loads.values()):
            self.cancel(load)

    def fail(self, load: PendingLoad, error: BaseException) -> None:
        """End a pending load by a defect, which all who wait are told."""
        load.outcome.set_exception(error)
        self._remove(load)

    def _remove(self, load: PendingLoad) -> None:
        del self._loads[load.kind.singular, load.key]
        request = load.request
        if request is None:
            return
        del request.waiting[load]
        if not request.waiting and request.task is not None and request.task is not asyncio.current_task():
            request.task.cancel()
            self.close(request)
