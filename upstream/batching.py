"""Batching without a batch endpoint: the misses of all running requests, in the cheapest requests upstream.

The misses of one event-loop turn are planned together (``upstream.planning``). There is one flight for each key
and each page: whoever wants it while it is under way waits with the others, and a key that must be on a page that
is under way waits for that page. A missing key is missing for that key alone. A page that fails, or comes without
a wanted record, is made good by details. What was found, what was found missing and what was found to make no
sense is remembered for a minute; a missing package for as long as looks at page one show that none came.

What strangers can make up is asked for within a budget (``upstream.budget``): searches, and keys that nothing but
a client's word speaks for.

A flight ends early when nobody waits for it any more: nothing is retried after its clients have gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from upstream.breaker import CircuitOpen
from upstream.budget import Budget
from upstream.client import Client
from upstream.errors import BudgetSpent, UpstreamBadData, UpstreamError
from upstream.flights import Flight, Flights, Hits, Key, Outcome, Voyage
from upstream.memory import Memory
from upstream.places import Places
from upstream.planning import GUESSED_COUNTS, Plan, Prices, Window, cheapest
from upstream.receipt import note_from_memory, noting, open_receipt
from upstream.records import CATEGORY, KINDS, PACKAGE, BadRecord, Kind, Page, R

REMEMBERED_SECONDS = 60.0
REMEMBERED_AS_MISSING = 24 * 3600.0
"""Seconds, at most, and only while looks at page one show that no package came."""
MOST_MISSING = 20_000
"""Names of packages that are remembered as missing."""
BUDGET = 60.0
"""Searches and unknown keys a minute, if nothing else is said."""
MOST_REMEMBERED = 20_000
"""Records, each counted under its id, under its slug and on each page: the whole catalogue, once."""
ALL_CATEGORIES = Window(0, 100, ())
"""All categories are one page: there are six, and that costs less than two details."""

_SEARCH: Kind[Any] = Kind("search", "search", has_slugs=False, decode=msgspec.json.decode)
"""Stands in for a kind in the flights of searches, whose keys are the queries."""


class Batcher:
    """One for each process, over one client. ``places`` is what it knows of the lists, by kind."""

    def __init__(
        self, client: Client, clock: Callable[[], float] = time.monotonic, budget: float = BUDGET
    ) -> None:
        """``budget`` is how many searches and unknown keys upstream is asked for a minute, at most."""
        self._client = client
        self._clock = clock
        self._budget = Budget(budget, clock)
        self.places = {kind.singular: Places() for kind in KINDS}
        self._flights = Flights(self.places | {_SEARCH.singular: Places()})
        self._pending: dict[str, list[Flight]] = {}
        self._memory: Memory[tuple[str, Key | Window], Outcome]
        self._memory = Memory(REMEMBERED_SECONDS, MOST_REMEMBERED, clock)
        self._missing: Memory[Key | Window, None]
        self._missing = Memory(REMEMBERED_AS_MISSING, MOST_MISSING, clock)
        self._missing_until = 0.0
        """Until when what is missing is known to be: by the last look at page one."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def under_way(self) -> int:
        """How many keys, pages and tasks are under way; 0 when nothing is left behind."""
        return len(self._flights) + len(self._tasks)

    # What others do with it

    async def fetch(
        self,
        kind: Kind[R],
        keys: Iterable[Key],
        *,
        asked: float | None = None,
        doubtful: Container[Key] = (),
    ) -> dict[Key, R | UpstreamError | None]:
        """For each id or slug its record, ``None`` if there is none, or the error that kept it away.

        ``asked`` is when they were wanted (seconds, monotonic), if that was before now. ``doubtful`` are the keys
        of which nobody but a client says that there are such; where the budget is spent for them, their error is
        :class:`BudgetSpent`.
        """
        outcomes, flights = self._join(kind, keys, asked, doubtful)
        await self._flights.landing(flights)
        return outcomes | {flight.key: flight.outcome.result() for flight in flights}

    async def page(self, kind: Kind[R], *, limit: int, offset: int, asked: float | None = None) -> Page[R]:
        """A page of the list, for its own sake. What is on it is remembered too.

        :raises UpstreamError: there is no answer.
        """
        window = Window(offset, limit, ())
        outcomes, flights = self._join(kind, [window], asked)
        await self._flights.landing(flights)
        outcome = flights[0].outcome.result() if flights else outcomes[window]
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
        voyage = Voyage(kind, [window], {}, whole=_is_whole(kind, window))
        try:
            with noting(voyage.note):
                page = await self._client.page(
                    kind,
                    limit=limit,
                    offset=offset,
                    background=True,
                    attempts=attempts,
                    under_way=lambda: self._boarding(voyage),
                )
            self._saw(kind, window, page)
            return page
        finally:
            self._end(voyage)

    async def search(self, query: str) -> Hits:
        """What upstream's search finds, best first; hits that do not fit are left out. Contract section 4.

        :raises BudgetSpent: upstream was not asked.
        :raises UpstreamError: there is no answer.
        """
        outcomes, flights = self._join(_SEARCH, [query], None)
        await self._flights.landing(flights)
        outcome = flights[0].outcome.result() if flights else outcomes[query]
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
        """End all flights. Whoever waits for one, or wants one afterwards, is cancelled."""
        self._closed = True
        self._flights.cancel_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Those who wait

    def _join(
        self,
        kind: Kind[Any],
        keys: Iterable[Key | Window],
        asked: float | None,
        doubtful: Container[Key | Window] = (),
    ) -> tuple[dict[Any, Any], list[Flight]]:
        """What is remembered of the keys, and the flights of the others."""
        if self._closed:
            raise asyncio.CancelledError
        asked = time.monotonic() if asked is None else asked
        outcomes: dict[Key | Window, Outcome] = {}
        flights: list[Flight] = []
        for key in dict.fromkeys(keys):
            if (kind.singular, key) in self._memory:
                outcome = outcomes[key] = self._memory[kind.singular, key]
                note_from_memory(_records_in(outcome))
            elif kind is PACKAGE and key in self._missing and self._clock() < self._missing_until:
                outcomes[key] = None
                note_from_memory(1)
            else:
                flights.append(self._flight(kind, key, asked, doubtful=key in doubtful))
        return outcomes, flights

    def _flight(self, kind: Kind[Any], key: Key | Window, asked: float, *, doubtful: bool) -> Flight:
        flight = self._flights.find(kind, key)
        if flight is not None:
            flight.doubtful = flight.doubtful and doubtful
        else:
            flight = Flight(kind, key, asked, asyncio.get_running_loop().create_future(), doubtful=doubtful)
            if not self._flights.board(flight):
                if not self._pending:
                    asyncio.get_running_loop().call_soon(self._depart)
                self._pending.setdefault(kind.singular, []).append(flight)
            self._flights.add(flight)
        receipt = open_receipt()
        if receipt is not None:
            flight.receipts.setdefault(receipt, asked)
            receipt.begin_waiting()
        return flight

    # Departures

    def _depart(self) -> None:
        """Plan the flights of this turn, and send them."""
        pending, self._pending = self._pending, {}
        for flights in pending.values():
            # One may be over already: landed by a page that came this very turn, or ended.
            flights = [flight for flight in flights if not flight.outcome.done()]
            try:
                self._send(flights)
            except Exception as error:  # whatever it is, nobody must wait for ever
                for flight in flights:
                    if flight.voyage is None:
                        self._flights.break_down(flight, error)

    def _send(self, flights: list[Flight]) -> None:
        for flight in flights:
            if isinstance(flight.key, Window) and not self._flights.board(flight):
                self._sail((flight.key,), [flight])
        # The pages that have just been sent may bring some of the others.
        wanted = {
            flight.key: flight
            for flight in flights
            if not isinstance(flight.key, Window) and not self._flights.board(flight)
        }
        if not wanted:
            return
        kind = flights[0].kind
        if kind is _SEARCH:
            for flight in wanted.values():
                self._fly(flight, flight.asked)
            return
        if kind is CATEGORY:
            self._sail((ALL_CATEGORIES,), wanted.values())
            return
        ids = [key for key in wanted if isinstance(key, int)]
        plan = self._plan(kind, ids)
        if plan.whole:
            self._sail(plan.windows, [wanted.pop(id) for id in ids], whole=True)
        else:
            for window in plan.windows:
                self._sail((window,), [wanted.pop(id) for id in window.ids])
        for flight in wanted.values():
            self._fly(flight, flight.asked)

    def _plan(self, kind: Kind[Any], ids: Iterable[int]) -> Plan:
        places, costs = self.places[kind.singular], self._client.costs
        prices = Prices(costs.detail(kind), *costs.page_parts(kind), costs.skipped(kind))
        count = GUESSED_COUNTS[kind.singular] if places.count is None else places.count
        return cheapest(((id, places.bounds(id)) for id in ids), prices, count)

    # On the way

    def _sail(self, windows: Iterable[Window], flights: Iterable[Flight], whole: bool = False) -> None:
        """Ask for pages, for these flights."""
        aboard = dict.fromkeys(flights)
        kind = next(iter(aboard)).kind
        bare = [Window(window.offset, window.limit, ()) for window in windows]
        voyage = Voyage(kind, bare, aboard, whole or _is_whole(kind, *bare))
        self._flights.open(voyage)
        self._launch(voyage, self._pages(voyage, min(flight.asked for flight in aboard)))

    async def _pages(self, voyage: Voyage, asked: float) -> None:
        flights = list(voyage.aboard)
        is_charged = all(flight.doubtful for flight in flights)
        if is_charged and not await self._budget.reserve():
            # Others may have come aboard meanwhile; they are asked for alone.
            for flight in [flight for flight in voyage.aboard if flight.doubtful]:
                self._refuse(flight)
            return
        try:
            await self._bring_pages(voyage, asked)
        finally:
            if is_charged:
                self._budget.settle(spent=not any(flight.has_record for flight in flights))

    async def _bring_pages(self, voyage: Voyage, asked: float) -> None:
        async def land(window: Window) -> None:
            outcome: Page[Any] | UpstreamError
            try:
                outcome = await self._client.page(
                    voyage.kind, limit=window.limit, offset=window.offset, asked=asked
                )
            except UpstreamError as error:
                # For a wanted record it is made good by a detail, which says what is wrong.
                outcome = error
            voyage.windows.remove(window)
            if isinstance(outcome, Page):
                self._saw(voyage.kind, window, outcome)
            else:
                self._flights.land(voyage.kind, window, outcome)

        with noting(voyage.note):
            try:
                async with asyncio.TaskGroup() as group:
                    for window in list(voyage.windows):
                        group.create_task(land(window))
            except ExceptionGroup as defects:
                raise defects.exceptions[0] from None

    def _fly(self, flight: Flight, asked: float) -> None:
        """Ask for a record alone."""
        voyage = Voyage(flight.kind, [], {flight: None})
        bring = self._hits if flight.kind is _SEARCH else self._detail
        self._launch(voyage, bring(voyage, flight, asked))

    async def _detail(self, voyage: Voyage, flight: Flight, asked: float) -> None:
        kind, key = flight.kind, flight.key
        assert not isinstance(key, Window)
        is_charged = flight.doubtful and await self._budget.reserve()
        if flight.doubtful and not is_charged:
            self._refuse(flight)
            return
        spent = True
        try:
            with noting(voyage.note):
                record = await self._client.detail(kind, key, asked=asked)
        except UpstreamBadData as error:
            self._found(kind, key, error)
        except UpstreamError as error:
            spent = not isinstance(error, CircuitOpen)  # then nothing was sent
            self._flights.land(kind, key, error)
        else:
            spent = record is None
            for each in (key,) if record is None else (record.id, record.slug):
                self._found(kind, each, record)
        finally:
            if is_charged:
                self._budget.settle(spent=spent)

    async def _hits(self, voyage: Voyage, flight: Flight, asked: float) -> None:
        if not self._budget.spend():
            self._refuse(flight)
            return
        try:
            with noting(voyage.note):
                found = await self._client.search(str(flight.key), asked=asked)
        except UpstreamBadData as error:
            self._found(_SEARCH, flight.key, error)
        except UpstreamError as error:
            if isinstance(error, CircuitOpen):
                self._budget.give_back()
            self._flights.land(_SEARCH, flight.key, error)
        else:
            self._found(_SEARCH, flight.key, tuple(hit for hit in found if not isinstance(hit, BadRecord)))

    def _refuse(self, flight: Flight) -> None:
        self._flights.land(flight.kind, flight.key, BudgetSpent(self._budget.retry_after))

    def _launch(self, voyage: Voyage, work: Coroutine[Any, Any, None]) -> None:
        voyage.task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(voyage.task)
        voyage.task.add_done_callback(lambda task: self._ended(voyage, task))
        for flight in voyage.aboard:
            flight.voyage = voyage

    @contextmanager
    def _boarding(self, voyage: Voyage) -> Iterator[None]:
        """While a page of the crawl is on its way. Where that fails, nobody waits for another attempt."""
        self._flights.open(voyage)
        try:
            yield
        except BaseException:
            self._end(voyage)
            raise

    # Arrivals

    def _saw(self, kind: Kind[Any], window: Window, page: Page[Any]) -> None:
        """Remember a page, and land the flights that wanted it or one of its records."""
        self.places[kind.singular].saw_page(page.count, window.offset, [result.id for result in page.results])
        self._found(kind, window, page)
        for record in page.records:
            self._found(kind, record.id, record)
            self._found(kind, record.slug, record)

    def _found(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        self._memory.remember((kind.singular, key), outcome, max(1, _records_in(outcome)))
        if kind is PACKAGE and outcome is None:
            self._missing.remember(key, None)
        elif kind is PACKAGE:
            self._missing.discard(key)
        self._flights.land(kind, key, outcome)

    def _ended(self, voyage: Voyage, task: asyncio.Task[None]) -> None:
        """The task is over, and nobody must wait for it any more, however that came."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            for flight in list(voyage.aboard):
                self._flights.break_down(flight, error)
        self._end(voyage)

    def _end(self, voyage: Voyage) -> None:
        """Whoever was not on the pages, or could not be read there, is asked for alone."""
        self._flights.close(voyage)
        left, voyage.aboard = voyage.aboard, {}
        now = time.monotonic()
        for flight in left:
            flight.voyage = None
            if isinstance(flight.key, Window):
                self._sail((flight.key,), [flight])
            else:
                self._fly(flight, now)


def _records_in(outcome: Outcome) -> int:
    """How many records it spares upstream. The hits of a search are none."""
    if isinstance(outcome, Page):
        return len(outcome.results)
    return 0 if isinstance(outcome, tuple) else 1


def _is_whole(kind: Kind[Any], *windows: Window) -> bool:
    return kind is CATEGORY and ALL_CATEGORIES in windows
