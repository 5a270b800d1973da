"""Who waits for what: a flight for each key or page that is wanted, a voyage for the requests that bring them.

Whoever waits last and leaves ends a flight, and a voyage ends with its last flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from upstream.errors import UpstreamError
from upstream.places import Places
from upstream.planning import Window
from upstream.receipt import Exchange, Receipt
from upstream.records import Kind, Page, Record, SearchHit

Key = int | str
Hits = tuple[SearchHit, ...]
Outcome = Record | Page[Any] | Hits | UpstreamError | None


@dataclass(eq=False, slots=True)
class Flight:
    """One key, or one page, that is wanted. Its outcome is a value even where that is an error."""

    kind: Kind[Any]
    key: Key | Window
    asked: float
    """When it was first wanted (seconds, monotonic)."""
    outcome: asyncio.Future[Outcome]
    waiters: int = 0
    receipts: dict[Receipt, float] = field(default_factory=dict)
    """Those of the waiters, and when each of them asked."""
    voyage: Voyage | None = None
    """What is to bring it. ``None`` before it departs."""
    doubtful: bool = False
    """Whether nobody but a client says that there is such a key: to ask for it is a matter of the budget."""

    @property
    def has_record(self) -> bool:
        """Whether it is over, and brought a record."""
        if not self.outcome.done() or self.outcome.cancelled() or self.outcome.exception() is not None:
            return False
        return not isinstance(self.outcome.result(), UpstreamError | None)


@dataclass(eq=False, slots=True)
class Voyage:
    """Requests under way, and the flights that wait for them: one alone, or all that are aboard pages."""

    kind: Kind[Any]
    windows: list[Window]
    """The pages that are still to come; none for a flight alone. They name no ids, so that equal pages are equal."""
    aboard: dict[Flight, None]
    """The flights that have not landed, in the order in which they boarded."""
    whole: bool = False
    """Whether the pages are the whole list, any of which can hold any record."""
    task: asyncio.Task[None] | None = None
    """``None`` for a page of the crawl, which nobody but the crawl ends."""

    def brings(self, first: int, last: int) -> bool:
        """Whether a record with these bounds must be on a page that is still to come, if it exists."""
        if not self.whole:
            return any(window.covers(first, last) for window in self.windows)
        return first <= last and any(
            window.offset <= last and first < window.offset + window.limit for window in self.windows
        )

    def note(self, exchange: Exchange) -> None:
        """Note an exchange on the receipt of everyone who waits for it, once each."""
        asked: dict[Receipt, float] = {}
        for flight in self.aboard:
            for receipt, since in flight.receipts.items():
                asked[receipt] = min(since, asked.get(receipt, since))
        for receipt, since in asked.items():
            # Whoever joined later has waited for no longer than that.
            receipt.note(replace(exchange, asked=max(exchange.asked, since)))


class Flights:
    """All flights and voyages under way, of one process. ``places`` tell which page must bring a record."""

    def __init__(self, places: Mapping[str, Places]) -> None:
        self._places = places
        self._flights: dict[tuple[str, Key | Window], Flight] = {}
        self._voyages: dict[str, list[Voyage]] = {kind: [] for kind in places}

    def __len__(self) -> int:
        return len(self._flights) + sum(map(len, self._voyages.values()))

    def find(self, kind: Kind[Any], key: Key | Window) -> Flight | None:
        """The flight for this key, if there is one."""
        return self._flights.get((kind.singular, key))

    def add(self, flight: Flight) -> None:
        """Let others find it."""
        self._flights[flight.kind.singular, flight.key] = flight

    async def landing(self, flights: Iterable[Flight]) -> None:
        """Wait for the flights; it may be ended at any time."""
        for flight in flights:
            flight.waiters += 1
        try:
            for flight in flights:
                await asyncio.shield(flight.outcome)
        finally:
            for flight in flights:
                flight.waiters -= 1
                if not flight.waiters:
                    self.cancel(flight)

    # Voyages

    def open(self, voyage: Voyage) -> None:
        """Let flights board its pages."""
        self._voyages[voyage.kind.singular].append(voyage)

    def close(self, voyage: Voyage) -> None:
        """Let nobody board it any more."""
        voyages = self._voyages[voyage.kind.singular]
        if voyage in voyages:
            voyages.remove(voyage)

    def board(self, flight: Flight) -> bool:
        """Let it wait for a page under way that must bring it, if there is one."""
        key, voyages = flight.key, self._voyages[flight.kind.singular]
        if not voyages or isinstance(key, str):
            return False
        if isinstance(key, int):
            first, last = self._places[flight.kind.singular].bounds(key)
            bringing = (voyage for voyage in voyages if voyage.brings(first, last))
        else:
            bringing = (voyage for voyage in voyages if key in voyage.windows)
        flight.voyage = next(bringing, None)
        if flight.voyage is None:
            return False
        flight.voyage.aboard[flight] = None
        return True

    # Ends

    def land(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        """Give the outcome to whoever waits for this key."""
        flight = self.find(kind, key)
        if flight is not None:
            flight.outcome.set_result(outcome)
            self._remove(flight)

    def cancel(self, flight: Flight) -> None:
        """End it, unless it is over. Whoever still waits is cancelled."""
        if flight.outcome.cancel():
            self._remove(flight)

    def cancel_all(self) -> None:
        """End every flight."""
        for flight in list(self._flights.values()):
            self.cancel(flight)

    def break_down(self, flight: Flight, error: BaseException) -> None:
        """End it by a defect, which everyone who waits is told."""
        flight.outcome.set_exception(error)
        self._remove(flight)

    def _remove(self, flight: Flight) -> None:
        del self._flights[flight.kind.singular, flight.key]
        voyage = flight.voyage
        if voyage is None:
            return
        del voyage.aboard[flight]
        if not voyage.aboard and voyage.task is not None and voyage.task is not asyncio.current_task():
            voyage.task.cancel()
            self.close(voyage)
