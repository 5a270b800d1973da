"""Batching without a batch endpoint: the misses of all running requests, in the cheapest requests upstream.

The misses of one event-loop turn are planned together (``upstream.batching.request_planning``). There is one
pending load for each key and each page: whoever wants it while it is under way waits with the others, and a key
that must be on a page that is under way waits for that page. A missing key is missing for that key alone. A page
that fails, or comes without a wanted record, is made good by details. What was found, what was found missing and
what was found to make no sense is remembered for a minute; a missing package for as long as looks at page one
show that none came.

What strangers can make up is asked for within a budget (``upstream.batching.request_budget``): searches, and keys
that nothing but a client's word speaks for.

A pending load ends early when nobody waits for it any more: nothing is retried after its clients have gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from upstream.batching.in_flight_requests import (
    Hits,
    InFlightRequest,
    Key,
    Outcome,
    PendingLoad,
    PendingLoads,
)
from upstream.batching.list_positions import ListPositions
from upstream.batching.request_budget import Budget
from upstream.batching.request_planning import GUESSED_COUNTS, Plan, Prices, Window, cheapest
from upstream.batching.ttl_cache import TTLCache
from upstream.client.api_client import Client
from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.request_receipt import note_from_memory, noting, open_receipt
from upstream.client.upstream_errors import BudgetSpent, UpstreamBadData, UpstreamError
from upstream.client.v4_records import CATEGORY, KINDS, PACKAGE, BadRecord, Kind, Page, R

REMEMBERED_SECONDS = 60.0
REMEMBERED_AS_MISSING = 24 * 3600.0
"""Seconds, at most, and only while looks at page one show that no package came."""
MOST_MISSING = 20_000
"""Names of packages that are remembered as missing."""
BUDGET = 60.0
"""Searches and unknown keys a minute, if nothing else is said."""
MOST_REMEMBERED = 20_000
"""Records, each counted under its id, under its slug and on each page: the whole catalog, once."""
ALL_CATEGORIES = Window(0, 100, ())
"""All categories are one page: there are six, and that costs less than two details."""

_SEARCH: Kind[Any] = Kind("search", "search", has_slugs=False, decode=msgspec.json.decode)
"""Stands in for a kind in the pending loads of searches, whose keys are the queries."""


class Batcher:
    """One for each process, over one client. ``positions`` is what it knows of the lists, by kind."""

    def __init__(
        self, client: Client, clock: Callable[[], float] = time.monotonic, budget: float = BUDGET
    ) -> None:
        """``budget`` is how many searches and unknown keys upstream is asked for a minute, at most."""
        self._client = client
        self._clock = clock
        self._budget = Budget(budget, clock)
        self.positions = {kind.singular: ListPositions() for kind in KINDS}
        self._loads = PendingLoads(self.positions | {_SEARCH.singular: ListPositions()})
        self._pending: dict[str, list[PendingLoad]] = {}
        self._memory: TTLCache[tuple[str, Key | Window], Outcome]
        self._memory = TTLCache(REMEMBERED_SECONDS, MOST_REMEMBERED, clock)
        self._missing: TTLCache[Key | Window, None]
        self._missing = TTLCache(REMEMBERED_AS_MISSING, MOST_MISSING, clock)
        self._missing_until = 0.0
        """Until when what is missing is known to be: by the last look at page one."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def under_way(self) -> int:
        """How many keys, pages and tasks are under way; 0 when nothing is left behind."""
        return len(self._loads) + len(self._tasks)

    # What others do with it

    async def fetch(
        self,
        kind: Kind[R],
        keys: Iterable[Key],
        *,
        doubtful: Container[Key] = (),
    ) -> dict[Key, R | UpstreamError | None]:
        """For each id or slug its record, ``None`` if there is none, or the error that kept it away.

        ``doubtful`` are the keys of which nobody but a client says that there are such; where the budget is spent
        for them, their error is :class:`BudgetSpent`.
        """
        outcomes, loads = self._join(kind, keys, doubtful)
        await self._loads.wait_for(loads)
        return outcomes | {load.key: load.outcome.result() for load in loads}

    async def page(self, kind: Kind[R], *, limit: int, offset: int) -> Page[R]:
        """A page of the list, for its own sake. What is on it is remembered too.

        :raises UpstreamError: there is no answer.
        """
        window = Window(offset, limit, ())
        outcomes, loads = self._join(kind, [window])
        await self._loads.wait_for(loads)
        outcome = loads[0].outcome.result() if loads else outcomes[window]
        if isinstance(outcome, UpstreamError):
            raise outcome
        assert isinstance(outcome, Page)
        return outcome

    async def crawl_page(
        self, kind: Kind[R], *, limit: int, offset: int, attempts: int | None = None
    ) -> Page[R]:
        """A page for the crawl: in the background, and whoever wants a record that is on it waits for it.

        :raises UpstreamError: there is no answer.
        """
        window = Window(offset, limit, ())
        request = InFlightRequest(kind, [window], {}, whole=_is_whole(kind, window))
        try:
            with noting(request.note):
                page = await self._client.page(
                    kind,
                    limit=limit,
                    offset=offset,
                    background=True,
                    attempts=attempts,
                    under_way=lambda: self._joinable(request),
                )
            self._take_page(kind, window, page)
            return page
        finally:
            self._end(request)

    async def search(self, query: str) -> Hits:
        """What upstream's search finds, best first; hits that do not fit are left out. Contract section 4.

        :raises BudgetSpent: upstream was not asked.
        :raises UpstreamError: there is no answer.
        """
        outcomes, loads = self._join(_SEARCH, [query])
        await self._loads.wait_for(loads)
        outcome = loads[0].outcome.result() if loads else outcomes[query]
        if isinstance(outcome, UpstreamError):
            raise outcome
        assert isinstance(outcome, tuple)
        return outcome

    def forget(self) -> None:
        """Forget what was found and found missing, because a new catalog knows better."""
        self._memory.forget()
        self._missing.forget()

    def looked(self, seconds: float) -> None:
        """Upstream has just shown that no package came; the next look is due within so many ``seconds``."""
        self._missing_until = self._clock() + seconds

    async def aclose(self) -> None:
        """End all pending loads. Whoever waits for one, or wants one afterwards, is cancelled."""
        self._closed = True
        self._loads.cancel_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Those who wait

    def _join(
        self,
        kind: Kind[Any],
        keys: Iterable[Key | Window],
        doubtful: Container[Key | Window] = (),
    ) -> tuple[dict[Any, Any], list[PendingLoad]]:
        """What is remembered of the keys, and the pending loads of the others."""
        if self._closed:
            raise asyncio.CancelledError
        outcomes: dict[Key | Window, Outcome] = {}
        loads: list[PendingLoad] = []
        for key in dict.fromkeys(keys):
            if (kind.singular, key) in self._memory:
                outcome = outcomes[key] = self._memory[kind.singular, key]
                note_from_memory(_records_in(outcome))
            elif kind is PACKAGE and key in self._missing and self._clock() < self._missing_until:
                outcomes[key] = None
                note_from_memory(1)
            else:
                loads.append(self._load(kind, key, doubtful=key in doubtful))
        return outcomes, loads

    def _load(self, kind: Kind[Any], key: Key | Window, *, doubtful: bool) -> PendingLoad:
        load = self._loads.find(kind, key)
        if load is not None:
            load.doubtful = load.doubtful and doubtful
        else:
            load = PendingLoad(kind, key, asyncio.get_running_loop().create_future(), doubtful=doubtful)
            if not self._loads.join(load):
                if not self._pending:
                    asyncio.get_running_loop().call_soon(self._send_pending)
                self._pending.setdefault(kind.singular, []).append(load)
            self._loads.add(load)
        receipt = open_receipt()
        if receipt is not None:
            load.receipts.setdefault(receipt, time.monotonic())
            receipt.begin_waiting()
        return load

    # Sending

    def _send_pending(self) -> None:
        """Plan the pending loads of this turn, and send them."""
        pending, self._pending = self._pending, {}
        for loads in pending.values():
            # One may be over already: settled by a page that came this very turn, or ended.
            loads = [load for load in loads if not load.outcome.done()]
            try:
                self._send(loads)
            except Exception as error:  # whatever it is, nobody must wait for ever
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
        if kind is _SEARCH:
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

    def _plan(self, kind: Kind[Any], ids: Iterable[int]) -> Plan:
        positions, costs = self.positions[kind.singular], self._client.costs
        prices = Prices(costs.detail(kind), *costs.page_parts(kind), costs.skipped(kind))
        count = GUESSED_COUNTS[kind.singular] if positions.count is None else positions.count
        return cheapest(((id, positions.bounds(id)) for id in ids), prices, count)

    # Requests

    def _request_pages(
        self, windows: Iterable[Window], loads: Iterable[PendingLoad], whole: bool = False
    ) -> None:
        """Ask for pages, for these pending loads."""
        waiting = dict.fromkeys(loads)
        kind = next(iter(waiting)).kind
        bare = [Window(window.offset, window.limit, ()) for window in windows]
        request = InFlightRequest(kind, bare, waiting, whole or _is_whole(kind, *bare))
        self._loads.open(request)
        self._start(request, self._pages(request))

    async def _pages(self, request: InFlightRequest) -> None:
        loads = list(request.waiting)
        is_charged = all(load.doubtful for load in loads)
        if is_charged and not await self._budget.reserve():
            # Others may have come aboard meanwhile; they are asked for alone.
            for load in [load for load in request.waiting if load.doubtful]:
                self._refuse(load)
            return
        try:
            await self._bring_pages(request)
        finally:
            if is_charged:
                self._budget.settle(spent=not any(load.has_record for load in loads))

    async def _bring_pages(self, request: InFlightRequest) -> None:
        async def settle(window: Window) -> None:
            outcome: Page[Any] | UpstreamError
            try:
                outcome = await self._client.page(request.kind, limit=window.limit, offset=window.offset)
            except UpstreamError as error:
                # For a wanted record it is made good by a detail, which says what is wrong.
                outcome = error
            request.windows.remove(window)
            if isinstance(outcome, Page):
                self._take_page(request.kind, window, outcome)
            else:
                self._loads.settle(request.kind, window, outcome)

        with noting(request.note):
            try:
                async with asyncio.TaskGroup() as group:
                    for window in list(request.windows):
                        group.create_task(settle(window))
            except ExceptionGroup as defects:
                raise defects.exceptions[0] from None

    def _request_alone(self, load: PendingLoad) -> None:
        """Ask for a record alone."""
        request = InFlightRequest(load.kind, [], {load: None})
        bring = self._hits if load.kind is _SEARCH else self._detail
        self._start(request, bring(request, load))

    async def _detail(self, request: InFlightRequest, load: PendingLoad) -> None:
        kind, key = load.kind, load.key
        assert not isinstance(key, Window)
        is_charged = load.doubtful and await self._budget.reserve()
        if load.doubtful and not is_charged:
            self._refuse(load)
            return
        spent = True
        try:
            with noting(request.note):
                record = await self._client.detail(kind, key)
        except UpstreamBadData as error:
            self._settle(kind, key, error)
        except UpstreamError as error:
            spent = not isinstance(error, CircuitOpen)  # then nothing was sent
            self._loads.settle(kind, key, error)
        else:
            spent = record is None
            for each in (key,) if record is None else (record.id, record.slug):
                self._settle(kind, each, record)
        finally:
            if is_charged:
                self._budget.settle(spent=spent)

    async def _hits(self, request: InFlightRequest, load: PendingLoad) -> None:
        if not self._budget.spend():
            self._refuse(load)
            return
        try:
            with noting(request.note):
                found = await self._client.search(str(load.key))
        except UpstreamBadData as error:
            self._settle(_SEARCH, load.key, error)
        except UpstreamError as error:
            if isinstance(error, CircuitOpen):
                self._budget.give_back()
            self._loads.settle(_SEARCH, load.key, error)
        else:
            self._settle(_SEARCH, load.key, tuple(hit for hit in found if not isinstance(hit, BadRecord)))

    def _refuse(self, load: PendingLoad) -> None:
        self._loads.settle(load.kind, load.key, BudgetSpent(self._budget.retry_after))

    def _start(self, request: InFlightRequest, work: Coroutine[Any, Any, None]) -> None:
        request.task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(request.task)
        request.task.add_done_callback(lambda task: self._ended(request, task))
        for load in request.waiting:
            load.request = request

    @contextmanager
    def _joinable(self, request: InFlightRequest) -> Iterator[None]:
        """While a page of the crawl is on its way. Where that fails, nobody waits for another attempt."""
        self._loads.open(request)
        try:
            yield
        except BaseException:
            self._end(request)
            raise

    # Answers

    def _take_page(self, kind: Kind[Any], window: Window, page: Page[Any]) -> None:
        """Remember a page, and settle the pending loads that wanted it or one of its records."""
        self.positions[kind.singular].saw_page(
            page.count, window.offset, [result.id for result in page.results]
        )
        self._settle(kind, window, page)
        for record in page.records:
            self._settle(kind, record.id, record)
            self._settle(kind, record.slug, record)

    def _settle(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        self._memory.remember((kind.singular, key), outcome, max(1, _records_in(outcome)))
        if kind is PACKAGE and outcome is None:
            self._missing.remember(key, None)
        elif kind is PACKAGE:
            self._missing.discard(key)
        self._loads.settle(kind, key, outcome)

    def _ended(self, request: InFlightRequest, task: asyncio.Task[None]) -> None:
        """The task is over, and nobody must wait for it any more, however that came."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            for load in list(request.waiting):
                self._loads.fail(load, error)
        self._end(request)

    def _end(self, request: InFlightRequest) -> None:
        """Whoever was not on the pages, or could not be read there, is asked for alone."""
        self._loads.close(request)
        left, request.waiting = request.waiting, {}
        now = time.monotonic()
        for load in left:
            load.request = None
            # What comes now has to wait for what has just ended: it is another round of the receipt.
            load.receipts = dict.fromkeys(load.receipts, now)
            if isinstance(load.key, Window):
                self._request_pages((load.key,), [load])
            else:
                self._request_alone(load)


def _records_in(outcome: Outcome) -> int:
    """How many records it spares upstream. The hits of a search are none."""
    if isinstance(outcome, Page):
        return len(outcome.results)
    return 0 if isinstance(outcome, tuple) else 1


def _is_whole(kind: Kind[Any], *windows: Window) -> bool:
    return kind is CATEGORY and ALL_CATEGORIES in windows
