"""Batching without a batch endpoint: the misses of all running requests, in the cheapest requests upstream.

The misses of one event-loop turn are planned and sent together (``upstream.batching.request_sending``). There is one
pending load for each key and each page: whoever wants it while it is under way waits with the others, and a key
that must be on a page that is under way waits for that page. A missing key is missing for that key alone. What
upstream has answered is remembered for a while (``upstream.batching.remembered_answers``), and what strangers can
make up is asked for within a budget (``upstream.batching.budgeted_sending``).

A pending load ends early when nobody waits for it any more: nothing is retried after its clients have gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any

from upstream.batching.budgeted_sending import SEARCH, ChargedRequests
from upstream.batching.in_flight_requests import (
    Hits,
    InFlightRequest,
    Key,
    Outcome,
    PendingLoad,
    PendingLoads,
)
from upstream.batching.list_positions import ListPositions
from upstream.batching.remembered_answers import RememberedAnswers, records_in
from upstream.batching.request_planning import Window
from upstream.batching.request_sending import RequestSender, is_whole
from upstream.batching.unknown_key_budget import Budget
from upstream.client.api_client import Client
from upstream.client.exchange_receipt import note_from_memory, noting, open_receipt
from upstream.client.upstream_errors import UpstreamError
from upstream.client.v4_records import KINDS, Kind, Page, R

if TYPE_CHECKING:
    from sharing import SharedPace


class Batcher:
    """One for each process, over one client. ``positions`` is what it knows of the lists, by kind."""

    def __init__(
        self,
        client: Client,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
        pace: SharedPace | None = None,
    ) -> None:
        """``budget`` is how many searches and unknown keys upstream is asked for a minute, at most: by all gateways
        that share a server where ``pace`` counts them.
        """
        self._client = client
        self.positions = {kind.singular: ListPositions() for kind in KINDS}
        self._loads = PendingLoads(self.positions | {SEARCH.singular: ListPositions()})
        self._remembered = RememberedAnswers(clock)
        self._requests = ChargedRequests(
            client, Budget(budget, clock, pace), self._loads, self._remembered, self.positions
        )
        self._sender = RequestSender(client, self._loads, self._requests, self.positions)
        self._closed = False

    @property
    def under_way(self) -> int:
        """Return how many keys, pages and tasks are under way; 0 when nothing is left behind."""
        return len(self._loads) + len(self._sender)

    # What others do with it

    async def fetch(
        self,
        kind: Kind[R],
        keys: Iterable[Key],
        *,
        doubtful: Container[Key] = (),
    ) -> dict[Key, R | UpstreamError | None]:
        """Return for each id or slug its record, ``None`` if there is none, or the error that kept it away.

        ``doubtful`` are the keys of which nobody but a client says that there are such; where the budget is spent
        for them, their error is :class:`BudgetSpent`.
        """
        outcomes, loads = self._join(kind, keys, doubtful)
        await self._loads.wait_for(loads)
        return outcomes | {load.key: load.outcome.result() for load in loads}

    async def page(self, kind: Kind[R], *, limit: int, offset: int) -> Page[R]:
        """Return a page of the list, for its own sake. What is on it is remembered too.

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
        """Return a page for the crawl: in the background, and whoever wants a record that is on it waits for
        it.

        :raises UpstreamError: there is no answer.
        """
        window = Window(offset, limit, ())
        request = InFlightRequest(kind, [window], {}, whole=is_whole(kind, window))
        try:
            with noting(request.note):
                page = await self._client.page(
                    kind,
                    limit=limit,
                    offset=offset,
                    background=True,
                    attempts=attempts,
                    under_way=lambda: self._sender.joinable(request),
                )
            self._requests.take_page(kind, window, page)
            return page
        finally:
            self._sender.end(request)

    async def search(self, query: str) -> Hits:
        """Return what upstream's search finds, best first; hits that do not fit are left out. Contract section
        4.

        :raises BudgetSpent: upstream was not asked.
        :raises UpstreamError: there is no answer.
        """
        outcomes, loads = self._join(SEARCH, [query])
        await self._loads.wait_for(loads)
        outcome = loads[0].outcome.result() if loads else outcomes[query]
        if isinstance(outcome, UpstreamError):
            raise outcome
        assert isinstance(outcome, tuple)
        return outcome

    def forget(self) -> None:
        """Forget what was found and found missing, because a new catalog knows better."""
        self._remembered.forget()

    def looked(self, seconds: float) -> None:
        """Upstream has just shown that no package came; the next look is due within so many ``seconds``."""
        self._remembered.looked(seconds)

    async def aclose(self) -> None:
        """End all pending loads. Whoever waits for one, or wants one afterwards, is cancelled."""
        self._closed = True
        self._loads.cancel_all()
        await self._sender.aclose()

    # Those who wait

    def _join(
        self,
        kind: Kind[Any],
        keys: Iterable[Key | Window],
        doubtful: Container[Key | Window] = (),
    ) -> tuple[dict[Any, Any], list[PendingLoad]]:
        """Return what is remembered of the keys, and the pending loads of the others."""
        if self._closed:
            raise asyncio.CancelledError
        outcomes: dict[Key | Window, Outcome] = {}
        loads: list[PendingLoad] = []
        for key in dict.fromkeys(keys):
            if self._remembered.has(kind, key):
                outcome = outcomes[key] = self._remembered.answer(kind, key)
                note_from_memory(records_in(outcome))
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
                self._sender.send_soon(load)
            self._loads.add(load)
        receipt = open_receipt()
        if receipt is not None:
            load.receipts.setdefault(receipt, time.monotonic())
            receipt.begin_waiting()
        return load
