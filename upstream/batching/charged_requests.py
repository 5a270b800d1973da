"""Sends requests for pending loads, charges the budget for keys that only a client has named, and settles them.

A search is always charged. A page or a record is charged only if all who wait for it are doubtful, and is not charged
in the end if it brought a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from upstream.batching.concurrent_loads import all_or_first_error
from upstream.batching.in_flight_requests import InFlightRequest, Key, Outcome, PendingLoad, PendingLoads
from upstream.batching.list_positions import ListPositions
from upstream.batching.recent_answers import RememberedAnswers
from upstream.batching.request_planning import Window
from upstream.batching.unknown_key_budget import Budget
from upstream.client.api_client import Client
from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.exchange_receipt import noting
from upstream.client.upstream_errors import BudgetSpent, UpstreamBadData, UpstreamError
from upstream.client.v4_records import BadRecord, Kind, Page

SEARCH: Kind[Any] = Kind("search", "search", has_slugs=False, decode=msgspec.json.decode)
"""Stands in for a kind in the pending loads of searches, whose keys are the queries."""


class ChargedRequests:
    """Sends each in-flight request once. Every method settles all loads that wait for it, whatever happens."""

    def __init__(
        self,
        client: Client,
        budget: Budget,
        loads: PendingLoads,
        remembered: RememberedAnswers,
        positions: Mapping[str, ListPositions],
    ) -> None:
        self._client = client
        self._budget = budget
        self._loads = loads
        self._remembered = remembered
        self._positions = positions

    async def pages(self, request: InFlightRequest) -> None:
        """Ask for the pages of a request."""
        loads = list(request.waiting)
        is_charged = all(load.doubtful for load in loads)
        if is_charged and not await self._budget.reserve():
            # Loads that have joined meanwhile are asked for alone.
            for load in [load for load in request.waiting if load.doubtful]:
                self._refuse(load)
            return
        try:
            await self._bring_pages(request)
        finally:
            if is_charged:
                self._budget.settle(spent=not any(load.has_record for load in loads))

    def refuses(self, load: PendingLoad) -> bool:
        """Refuse to ask for a load alone if the budget is spent, and return whether it was.

        Strangers may want thousands of keys at once, and a task for each would take longer than its refusal.
        """
        is_charged = load.doubtful or load.kind is SEARCH
        if is_charged and self._budget.is_spent:
            self._refuse(load)
            return True
        return False

    async def alone(self, request: InFlightRequest, load: PendingLoad) -> None:
        """Ask for the one record, or the one search, of a request."""
        await (self._hits(request, load) if load.kind is SEARCH else self._detail(request, load))

    def take_page(self, kind: Kind[Any], window: Window, page: Page[Any]) -> None:
        """Remember a page, and settle the pending loads that wanted it or one of its records."""
        self._positions[kind.singular].saw_page(
            page.count, window.offset, [result.id for result in page.results]
        )
        self._settle(kind, window, page)
        for record in page.records:
            self._settle(kind, record.id, record)
            self._settle(kind, record.slug, record)

    async def _bring_pages(self, request: InFlightRequest) -> None:
        async def settle(window: Window) -> None:
            outcome: Page[Any] | UpstreamError
            try:
                outcome = await self._client.page(request.kind, limit=window.limit, offset=window.offset)
            except UpstreamError as error:
                # A wanted record is then asked for by a detail, which says what is wrong.
                outcome = error
            request.windows.remove(window)
            if not request.windows:
                request.task = None  # It ends by itself, also if this page settles the last who wait.
            if isinstance(outcome, Page):
                self.take_page(request.kind, window, outcome)
            else:
                self._loads.settle(request.kind, window, outcome)

        with noting(request.note):
            await all_or_first_error(settle(window) for window in list(request.windows))

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
            spent = not isinstance(error, CircuitOpen)  # Then nothing was sent.
            self._loads.settle(kind, key, error)
        else:
            spent = record is None
            for each in (key,) if record is None else (record.id, record.slug):
                self._settle(kind, each, record)
        finally:
            if is_charged:
                self._budget.settle(spent=spent)

    async def _hits(self, request: InFlightRequest, load: PendingLoad) -> None:
        if not await self._budget.spend():
            self._refuse(load)
            return
        try:
            with noting(request.note):
                found = await self._client.search(str(load.key))
        except UpstreamBadData as error:
            self._settle(SEARCH, load.key, error)
        except UpstreamError as error:
            if isinstance(error, CircuitOpen):
                self._budget.give_back()
            self._loads.settle(SEARCH, load.key, error)
        else:
            self._settle(SEARCH, load.key, tuple(hit for hit in found if not isinstance(hit, BadRecord)))

    def _refuse(self, load: PendingLoad) -> None:
        self._loads.settle(load.kind, load.key, BudgetSpent(self._budget.retry_after))

    def _settle(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        self._remembered.remember(kind, key, outcome)
        self._loads.settle(kind, key, outcome)
