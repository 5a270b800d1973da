"""Batching without a batch endpoint: the misses of all running requests, in the cheapest requests upstream.

The misses of one event-loop turn are planned together (``upstream.planning``). There is one flight for each key
and each page: whoever wants it while it is under way waits with the others, and a key that must be on a page that
is under way waits for that page. A missing key is missing for that key alone. A page that fails, or comes without
a wanted record, is made good by details. What was found, what was found missing and what was found to make no
sense is remembered for a minute. Searches fly too: equal ones are one request, and remembered.

A flight ends early when nobody waits for it any more: nothing is retried after its clients have gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from upstream.client import Client
from upstream.errors import UpstreamBadData, UpstreamError
from upstream.places import Places
from upstream.planning import Plan, Prices, Window, cheapest
from upstream.receipt import Exchange, Receipt, note_from_memory, noting, open_receipt
from upstream.records import CATEGORY, KINDS, Kind, Page, R, Record, SearchHit

REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 50_000
CATEGORIES_PAGE = Window(0, 100, ())
"""All categories are one page: there are six, and that costs less than two details."""

Key = int | str
Hits = tuple[SearchHit, ...]
Outcome = Record | Page[Any] | Hits | UpstreamError | None

_SEARCH: Kind[Any] = Kind("search", "search", has_slugs=False, decode=msgspec.json.decode)
"""Stands in for a kind in the flights of searches, whose keys are the queries."""


class Batcher:
    """One for each process, over one client. ``places`` is what it knows of the lists, by kind."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._flights: dict[tuple[str, Key | Window], _Flight] = {}
        self._pending: dict[str, list[_Flight]] = {}
        self._voyages: dict[str, list[_Voyage]] = {kind.singular: [] for kind in KINDS}
        self._remembered: dict[tuple[str, Key | Window], tuple[float, Outcome]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self.places = {kind.singular: Places() for kind in KINDS}

    async def fetch(
        self, kind: Kind[R], keys: Iterable[Key], *, asked: float | None = None
    ) -> dict[Key, R | UpstreamError | None]:
        """For each id or slug its record, ``None`` if there is none, or the error that kept it away.

        ``asked`` is when they were wanted (seconds, monotonic), if that was before now.
        """
        outcomes, flights = self._join(kind, keys, asked)
        await self._landing(flights)
        return outcomes | {flight.key: flight.outcome.result() for flight in flights}

    async def page(self, kind: Kind[R], *, limit: int, offset: int, asked: float | None = None) -> Page[R]:
        """A page of the list, for its own sake. What is on it is remembered too.

        :raises UpstreamError: there is no answer.
        """
        window = Window(offset, limit, ())
        outcomes, flights = self._join(kind, [window], asked)
        await self._landing(flights)
        outcome = flights[0].outcome.result() if flights else outcomes[window]
        if isinstance(outcome, UpstreamError):
            raise outcome
        assert isinstance(outcome, Page)
        return outcome

    async def search(self, query: str) -> Hits:
        """What upstream finds, best first, at most 20 (contract section 4). A hit that does not fit is left out.

        :raises UpstreamError: there is no answer.
        """
        outcomes, flights = self._join(_SEARCH, [query], None)
        await self._landing(flights)
        outcome = flights[0].outcome.result() if flights else outcomes[query]
        if isinstance(outcome, UpstreamError):
            raise outcome
        assert isinstance(outcome, tuple)
        return outcome

    async def crawl_page(
        self, kind: Kind[R], *, limit: int, offset: int, attempts: int | None = None
    ) -> Page[R]:
        """A page for the crawl: in the background, and whoever wants a record that is on it waits for it.

        :raises UpstreamError: there is no answer.
        """
        voyage = _Voyage((Window(offset, limit, ()),), [])
        self._voyages[kind.singular].append(voyage)
        try:
            page = await self._client.page(
                kind, limit=limit, offset=offset, background=True, attempts=attempts
            )
            self._saw(kind, offset, page)
            return page
        finally:
            self._end(kind, voyage)

    def forget(self) -> None:
        """Forget what was found and found missing, because a new catalog knows better."""
        self._remembered.clear()

    async def aclose(self) -> None:
        """End all flights."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _join(
        self, kind: Kind[Any], keys: Iterable[Key | Window], asked: float | None
    ) -> tuple[dict[Any, Any], list[_Flight]]:
        """What is remembered of the keys, and the flights of the others."""
        now = time.monotonic()
        outcomes: dict[Key | Window, Outcome] = {}
        flights: list[_Flight] = []
        for key in dict.fromkeys(keys):
            until, outcome = self._remembered.get((kind.singular, key), (0.0, None))
            if until > now:
                outcomes[key] = outcome
                note_from_memory(_records_in(outcome))
            else:
                flights.append(self._flight(kind, key, now if asked is None else asked))
        return outcomes, flights

    def _flight(self, kind: Kind[Any], key: Key | Window, asked: float) -> _Flight:
        flight = self._flights.get((kind.singular, key))
        if flight is None:
            flight = _Flight(kind, key, asked, asyncio.get_running_loop().create_future())
            self._flights[kind.singular, key] = flight
            voyage = self._voyage_of(kind, key)
            if voyage is not None:
                voyage.flights.append(flight)
                flight.task, flight.together = voyage.task, voyage.flights
            else:
                if not self._pending:
                    asyncio.get_running_loop().call_soon(self._depart)
                self._pending.setdefault(kind.singular, []).append(flight)
        receipt = open_receipt()
        if receipt is not None and receipt not in flight.receipts:
            flight.receipts.append(receipt)
        return flight

    def _voyage_of(self, kind: Kind[Any], key: Key | Window) -> _Voyage | None:
        """The pages under way on one of which the record must be, if there are such."""
        if not isinstance(key, int):
            return None
        first, last = self.places[kind.singular].bounds(key)
        for voyage in self._voyages[kind.singular]:
            if any(window.covers(first, last) for window in voyage.windows):
                return voyage
        return None

    async def _landing(self, flights: list[_Flight]) -> None:
        """Wait for the flights. Whoever waits last and leaves ends a flight."""
        for flight in flights:
            flight.waiters += 1
        try:
            for flight in flights:
                await asyncio.shield(flight.outcome)
        finally:
            for flight in flights:
                flight.waiters -= 1
                if not flight.waiters and not flight.outcome.done():
                    self._abandon(flight)

    def _abandon(self, flight: _Flight) -> None:
        self._flights.pop((flight.kind.singular, flight.key), None)
        flight.outcome.cancel()
        if flight.task is not None and not any(other.waiters for other in flight.together):
            flight.task.cancel()

    def _depart(self) -> None:
        """Plan the flights of this turn, and send them."""
        pending, self._pending = self._pending, {}
        for flights in pending.values():
            kind = flights[0].kind
            wanted = {flight.key: flight for flight in flights if flight.waiters}
            if kind is _SEARCH:
                for query, flight in wanted.items():
                    self._start(self._seek(flight, str(query)), [flight])
                continue
            for window in [key for key in wanted if isinstance(key, Window)]:
                self._sail(kind, (window,), [wanted.pop(window)])
            if kind is CATEGORY and wanted:
                self._sail(kind, (CATEGORIES_PAGE,), list(wanted.values()))
                continue
            ids = [key for key in wanted if isinstance(key, int)]
            plan = self._plan(kind, ids)
            if plan.whole:
                self._sail(kind, plan.windows, [wanted.pop(id) for id in ids])
            else:
                for window in plan.windows:
                    self._sail(kind, (window,), [wanted.pop(id) for id in window.ids])
            for key, flight in wanted.items():
                assert not isinstance(key, Window)
                self._start(self._fly(flight, key), [flight])

    def _plan(self, kind: Kind[Any], ids: Iterable[int]) -> Plan:
        places, costs = self.places[kind.singular], self._client.costs
        prices = Prices(costs.detail(kind), *costs.page_parts(kind))
        return cheapest(((id, places.bounds(id)) for id in ids), prices, places.count)

    def _sail(self, kind: Kind[Any], windows: tuple[Window, ...], flights: list[_Flight]) -> None:
        voyage = _Voyage(windows, flights)
        self._voyages[kind.singular].append(voyage)
        voyage.task = self._start(self._sail_on(kind, voyage), voyage.flights)

    async def _sail_on(self, kind: Kind[Any], voyage: _Voyage) -> None:
        asked = min(flight.asked for flight in voyage.flights)

        async def land(window: Window) -> None:
            wanted = self._flights.get((kind.singular, _as_key(window)))
            try:
                page = await self._client.page(kind, limit=window.limit, offset=window.offset, asked=asked)
            except UpstreamError as error:
                # For a wanted record it is made good by details, which say what is wrong.
                if wanted is not None:
                    self._land(wanted, error)
                return
            self._saw(kind, window.offset, page)
            self._remember(kind, _as_key(window), page)
            if wanted is not None:
                self._land(wanted, page)

        try:
            with noting(_for_all(voyage.flights)):
                await asyncio.gather(*map(land, voyage.windows))
        finally:
            self._end(kind, voyage)

    def _end(self, kind: Kind[Any], voyage: _Voyage) -> None:
        """Whoever was not on the pages, or could not be read there, is asked for alone."""
        self._voyages[kind.singular].remove(voyage)
        for flight in voyage.flights:
            if flight.outcome.done():
                continue
            if self._closing or isinstance(flight.key, Window):
                flight.outcome.cancel()
            else:
                self._start(self._fly(flight, flight.key), [flight])

    async def _fly(self, flight: _Flight, key: Key) -> None:
        try:
            with noting(_for_all([flight])):
                record = await self._client.detail(flight.kind, key, asked=flight.asked)
        except UpstreamError as error:
            if isinstance(error, UpstreamBadData):
                self._remember(flight.kind, key, error)
            self._land(flight, error)
            return
        if record is None:
            self._remember(flight.kind, key, None)
        else:
            self._remember(flight.kind, record.id, record)
            self._remember(flight.kind, record.slug, record)
        self._land(flight, record)

    async def _seek(self, flight: _Flight, query: str) -> None:
        try:
            with noting(_for_all([flight])):
                found = await self._client.search(query, asked=flight.asked)
        except UpstreamError as error:
            if isinstance(error, UpstreamBadData):
                self._remember(_SEARCH, query, error)
            self._land(flight, error)
            return
        hits = tuple(hit for hit in found if isinstance(hit, SearchHit))
        self._remember(_SEARCH, query, hits)
        self._land(flight, hits)

    def _saw(self, kind: Kind[Any], offset: int, page: Page[Any]) -> None:
        """Remember a page, and land the flights that wanted one of its records."""
        self.places[kind.singular].saw_page(page.count, offset, [result.id for result in page.results])
        for record in page.records:
            for key in (record.id, record.slug):
                self._remember(kind, key, record)
                flight = self._flights.get((kind.singular, key))
                if flight is not None:
                    self._land(flight, record)

    def _land(self, flight: _Flight, outcome: Outcome) -> None:
        self._flights.pop((flight.kind.singular, flight.key), None)
        if not flight.outcome.done():
            flight.outcome.set_result(outcome)

    def _remember(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        # Taken out first, so that the oldest entry is always the first one.
        self._remembered.pop((kind.singular, key), None)
        if len(self._remembered) >= MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[kind.singular, key] = (time.monotonic() + REMEMBERED_SECONDS, outcome)

    def _start(self, work: Coroutine[Any, Any, None], flights: list[_Flight]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        for flight in flights:
            flight.task, flight.together = task, flights
        task.add_done_callback(lambda done: self._ended(done, flights))
        return task

    def _ended(self, task: asyncio.Task[None], flights: list[_Flight]) -> None:
        """A flight whose task broke down breaks down too, so that nobody waits for ever."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        for flight in flights:
            if flight.task is task and not flight.outcome.done():
                self._flights.pop((flight.kind.singular, flight.key), None)
                if error is None:
                    flight.outcome.cancel()
                else:
                    flight.outcome.set_exception(error)


@dataclass(eq=False, slots=True)
class _Flight:
    """One key, or one page, that is wanted. Its outcome is a value even where that is an error."""

    kind: Kind[Any]
    key: Key | Window
    asked: float
    outcome: asyncio.Future[Outcome]
    waiters: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    together: list[_Flight] = field(default_factory=list)
    """All flights of the task."""


@dataclass(eq=False, slots=True)
class _Voyage:
    """Pages under way, and the flights aboard them."""

    windows: tuple[Window, ...]
    flights: list[_Flight]
    task: asyncio.Task[None] | None = None
    """``None`` for a page of the crawl, which nobody but the crawl ends."""


def _records_in(outcome: Outcome) -> int:
    """How many records it spares upstream. The hits of a search are none."""
    if isinstance(outcome, Page):
        return len(outcome.results)
    return 0 if isinstance(outcome, tuple) else 1


def _as_key(window: Window) -> Window:
    return Window(window.offset, window.limit, ())


def _for_all(flights: list[_Flight]) -> Callable[[Exchange], None]:
    """Notes an exchange on the receipt of everyone who waits for it, once each."""

    def note(exchange: Exchange) -> None:
        for receipt in {id(each): each for flight in flights for each in flight.receipts}.values():
            receipt.note(exchange)

    return note
