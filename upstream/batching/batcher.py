"""Batches without a batch endpoint: joins the misses of all running requests into the cheapest requests to upstream.

The misses of one event-loop turn are planned and sent together (``upstream.batching.request_sending``). There is one
pending load for each key and each page, for which all who want it wait together. A key that must be on a page that is
under way waits for that page. A missing key is missing for that key alone. Answers of upstream are remembered for a
while (``upstream.batching.recent_answers``), and a budget bounds the requests for what strangers can make up
(``upstream.batching.charged_requests``).

A pending load ends early when nobody waits for it any more, so nothing is retried after its clients have gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any, cast

from upstream.batching.charged_requests import SEARCH, ChargedRequests
from upstream.batching.in_flight_requests import (
    Hits,
    InFlightRequest,
    Key,
    Outcome,
    PendingLoad,
    PendingLoads,
)
from upstream.batching.list_positions import ListPositions
from upstream.batching.recent_answers import RememberedAnswers, records_in
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
    """Loads records for all requests of one process, over one client. ``positions`` is what it knows of the lists,
    by kind."""

    def __init__(
        self,
        client: Client,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
        pace: SharedPace | None = None,
    ) -> None:
        """``budget`` is the most searches and unknown keys that upstream is asked for in a minute. If ``pace`` is
        given, it counts those of all gateways that share a server."""
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

    # Other rooms call these.

    async def fetch(
        self,
        kind: Kind[R],
        keys: Iterable[Key],
        *,
        doubtful: Container[Key] = (),
    ) -> dict[Key, R | UpstreamError | None]:
        """Return for each id or slug its record, ``None`` if there is none, or the error that kept it away.

        ``doubtful`` are the keys that only a client has named, so that there may be no such record. If the budget is
        spent, their error is :class:`BudgetSpent`.
        """
        outcomes, loads = self._join(kind, keys, doubtful)
        await self._loads.wait_for(loads)
        return outcomes | {load.key: load.outcome.result() for load in loads}

    def remembered(self, kind: Kind[R], key: Key) -> R | None:
        """Return the record with this id or slug if upstream has shown it lately. It is not noted on a receipt."""
        outcome = self._remembered.answer(kind, key)
        return None if outcome is None or isinstance(outcome, UpstreamError) else cast("R", outcome)

    def remembered_page(self, kind: Kind[R], window: Window) -> Page[R] | None:
        """Return the page if upstream has shown it lately. It is not noted on a receipt."""
        outcome = self._remembered.answer(kind, window)
        return outcome if isinstance(outcome, Page) else None

    async def page(self, kind: Kind[R], *, limit: int, offset: int) -> Page[R]:
        """Return a page of the list. The records on it are remembered too.

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
        """Return a page for the crawl, in the background. Loads of records that are on it wait for it.

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
        """Return what upstream's search finds, best first (contract section 4). Hits that do not fit are left out.

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
        """Forget all answers, because a new catalog knows better."""
        self._remembered.forget()

    def looked(self, seconds: float) -> None:
        """Note that upstream has just shown that no package came. The next look is due within this many ``seconds``."""
        self._remembered.looked(seconds)

    async def aclose(self) -> None:
        """End all pending loads. All who wait for one, or want one afterwards, are cancelled."""
        self._closed = True
        self._loads.cancel_all()
        await self._sender.aclose()

    # These serve those who wait.

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
