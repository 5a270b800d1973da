"""Sends requests to upstream: plans the pending loads of a turn of the event loop, and follows the requests.

Pages and details are chosen by their prices (``upstream.batching.request_planning``). If a page fails, or comes without
a wanted record, details are requested instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from upstream.batching.charged_requests import SEARCH, ChargedRequests
from upstream.batching.in_flight_requests import InFlightRequest, PendingLoad, PendingLoads
from upstream.batching.list_positions import ListPositions
from upstream.batching.request_planning import GUESSED_COUNTS, Prices, RequestPlan, Window, cheapest
from upstream.client.api_client import Client
from upstream.client.v4_records import CATEGORY, Kind

ALL_CATEGORIES = Window(0, 100, ())
"""The page with all categories. There are six, and the page costs less than two details."""


class RequestSender:
    """Sends the requests for the pending loads of one process."""

    def __init__(
        self,
        client: Client,
        loads: PendingLoads,
        requests: ChargedRequests,
        positions: Mapping[str, ListPositions],
    ) -> None:
        self._client = client
        self._loads = loads
        self._requests = requests
        self._positions = positions
        self._pending: dict[str, list[PendingLoad]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many tasks are under way."""
        return len(self._tasks)

    def send_soon(self, load: PendingLoad) -> None:
        """Send for a pending load at the end of this turn of the event loop, with all others of the turn."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._send_pending)
        self._pending.setdefault(load.kind.singular, []).append(load)

    @contextmanager
    def joinable(self, request: InFlightRequest) -> Iterator[None]:
        """Let others wait for a page of the crawl while it is under way, but not for a second attempt."""
        self._loads.open(request)
        try:
            yield
        except BaseException:
            self.end(request)
            raise

    def end(self, request: InFlightRequest) -> None:
        """Close a request. Records that were not on its pages, or could not be read there, are asked for alone."""
        self._loads.close(request)
        left, request.waiting = request.waiting, {}
        now = time.monotonic()
        for load in left:
            load.request = None
            # The next requests had to wait for this one, so they are another round of the receipt.
            load.receipts = dict.fromkeys(load.receipts, now)
            if isinstance(load.key, Window):
                self._request_pages((load.key,), [load])
            else:
                self._request_alone(load)

    async def aclose(self) -> None:
        """End all tasks."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _send_pending(self) -> None:
        """Plan the pending loads of this turn, and send them."""
        pending, self._pending = self._pending, {}
        for loads in pending.values():
            # A load may be over already, settled by a page that came in this turn, or ended.
            loads = [load for load in loads if not load.outcome.done()]
            try:
                self._send(loads)
            except Exception as error:  # Whatever was raised, nobody must wait for ever.
                for load in loads:
                    if load.request is None:
                        self._loads.fail(load, error)

    def _send(self, loads: list[PendingLoad]) -> None:
        for load in loads:
            if isinstance(load.key, Window) and not self._loads.join(load):
                self._request_pages((load.key,), [load])
        # The pages that have just been sent may bring some of the others.
        wanted = {
            load.key: load
            for load in loads
            if not isinstance(load.key, Window) and not self._loads.join(load)
        }
        if not wanted:
            return
        kind = loads[0].kind
        if kind is SEARCH:
            for load in wanted.values():
                self._request_alone(load)
            return
        if kind is CATEGORY:
            self._request_pages((ALL_CATEGORIES,), wanted.values())
            return
        ids = [key for key in wanted if isinstance(key, int)]
        plan = self._plan(kind, ids)
        if plan.whole:
            self._request_pages(plan.windows, [wanted.pop(id) for id in ids], whole=True)
        else:
            for window in plan.windows:
                self._request_pages((window,), [wanted.pop(id) for id in window.ids])
        for load in wanted.values():
            self._request_alone(load)

    def _plan(self, kind: Kind[Any], ids: Iterable[int]) -> RequestPlan:
        positions, costs = self._positions[kind.singular], self._client.costs
        prices = Prices(costs.detail(kind), *costs.page_parts(kind), costs.skipped(kind))
        count = GUESSED_COUNTS[kind.singular] if positions.count is None else positions.count
        return cheapest(((id, positions.bounds(id)) for id in ids), prices, count)

    def _request_pages(
        self, windows: Iterable[Window], loads: Iterable[PendingLoad], whole: bool = False
    ) -> None:
        """Ask for pages, for these pending loads."""
        waiting = dict.fromkeys(loads)
        kind = next(iter(waiting)).kind
        bare = [Window(window.offset, window.limit, ()) for window in windows]
        request = InFlightRequest(kind, bare, waiting, whole or is_whole(kind, *bare))
        self._loads.open(request)
        self._start(request, self._requests.pages(request))

    def _request_alone(self, load: PendingLoad) -> None:
        """Ask for a record alone, unless the budget refuses that."""
        if self._requests.refuses(load):
            return
        request = InFlightRequest(load.kind, [], {load: None})
        self._start(request, self._requests.alone(request, load))

    def _start(self, request: InFlightRequest, work: Coroutine[Any, Any, None]) -> None:
        request.task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(request.task)
        request.task.add_done_callback(lambda task: self._ended(request, task))
        for load in request.waiting:
            load.request = request

    def _ended(self, request: InFlightRequest, task: asyncio.Task[None]) -> None:
        """Note that the task is over, however it ended, so that nobody waits for it any more."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            for load in list(request.waiting):
                self._loads.fail(load, error)
        self.end(request)


def is_whole(kind: Kind[Any], *windows: Window) -> bool:
    """Return whether pages are the whole list of a kind, however long that is."""
    return kind is CATEGORY and ALL_CATEGORIES in windows
