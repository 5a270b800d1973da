"""Asks the v4 API, and is the only place that knows upstream's URLs.

It sends GET requests for JSON under its own name. From the requests of clients it forwards only the trace
(``upstream.client.trace_context``), and no cookie, Authorization or Host (contract section 6). Redirects are not
followed and links never fetched. Every failure is an :class:`~upstream.client.upstream_errors.UpstreamError`; a missing
record is ``None``.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from upstream.client.api_client_limits import ClientLimits
from upstream.client.client_health import ClientHealth, RequestCosts
from upstream.client.failure_log import log_failure
from upstream.client.lazy_http_client import LazyHttpClient
from upstream.client.lenient_decoding import field_names
from upstream.client.record_drift import RecordDrift
from upstream.client.request_and_answer import UpstreamRequest
from upstream.client.request_costs import Costs, nominal_detail, nominal_page
from upstream.client.retrying_exchange import Exchanger
from upstream.client.upstream_errors import (
    ContradictoryList,
    UpstreamBadData,
    UpstreamError,
    UpstreamUnavailable,
)
from upstream.client.v4_records import (
    CATEGORY,
    KINDS,
    MAX_ID,
    UNDECODABLE,
    BadRecord,
    Kind,
    Page,
    R,
    SearchHitRecord,
    decode_search,
)

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

    from sharing import SharedPace

NOMINAL_SEARCH = 0.04
"""Seconds that a search takes (contract section 7)."""

_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Client:
    """Asks one upstream.

    ``base_url`` is the address of the v4 root, for example ``https://djangopackages.org/api/v4/``; a user and password
    in it are sent as Basic authentication. ``transport`` carries the requests: :func:`network`, :func:`in_process`, or
    a function that makes one of them for the first request. ``pace`` counts them with those of other gateways.
    ``clock`` counts the seconds that they take. ``costs`` is what they have cost lately.
    """

    def __init__(
        self,
        base_url: str,
        transport: AsyncBaseTransport | Callable[[], AsyncBaseTransport],
        limits: ClientLimits,
        pace: SharedPace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = LazyHttpClient(base_url, transport, limits)
        self.exchanger = Exchanger(self._http, limits, pace, clock)
        self.costs = Costs()
        self._one_a_turn = asyncio.Lock()
        self._counts: dict[str, int] = {}  # of the lists, by kind
        self._is_v4_api = False
        self._checking = asyncio.Lock()
        self._failed_check: UpstreamError | None = None
        self.bad_records = 0
        self.drift = RecordDrift()

    async def detail(
        self,
        kind: Kind[R],
        key: int | str,
        *,
        background: bool = False,
        attempts: int | None = None,
    ) -> R | None:
        """Return the record with this id or slug; ``None`` if there is none.

        Upstream takes a slug of digits for an id (contract section 1, "Lookup traps"), so it is never sent.
        In the ``background``, requests of users go first. ``attempts`` overrides the limits.

        :raises UpstreamError: upstream did not say whether there is one, or the slug has only digits.
        """
        if isinstance(key, int):
            if not 0 <= key <= MAX_ID:
                return None
        elif not kind.has_slugs or not _SLUG.fullmatch(key):
            return None
        elif key.isdecimal():
            raise UpstreamUnavailable(
                f'No {kind.singular} can be looked up by the slug "{key}", because upstream reads digits as an id. '
                "Use databaseId."
            )
        wanted = UpstreamRequest(kind.singular, f"{kind.plural}/{key}/", {}, nominal_detail())
        answer = await self.exchanger.ask(wanted, background, attempts)
        if answer.body is None:
            await self._check_that_it_is_a_v4_api(background, attempts)
            return None
        if answer.was_alone:
            self.costs.measured_detail(kind, answer.seconds)
        try:
            record = _decoded(wanted.path, answer.body, kind.decode)
        except UpstreamBadData as error:
            self.drift.saw_unfit(kind.singular, str(error.__cause__))
            raise
        self._is_v4_api = True
        self.drift.saw_fields(kind.singular, field_names(answer.body))
        answered = record.id if isinstance(key, int) else record.slug
        return record if answered == key else None

    async def page(
        self,
        kind: Kind[R],
        *,
        limit: int,
        offset: int = 0,
        background: bool = False,
        attempts: int | None = None,
        may_probe: bool = True,
        under_way: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Page[R]:
        """Return ``limit`` (1 or more) records from place ``offset`` on, newest id first. Contract section 2.

        ``under_way`` is entered whenever the request is sent, until it is answered or has failed. If it must not be the
        probe (``may_probe``), it fails while the circuit breaker is not closed. The other arguments are as for
        :meth:`detail`.

        :raises UpstreamError: there is no such answer.
        """
        wanted = UpstreamRequest(
            f"{kind.plural} page",
            f"{kind.plural}/",
            {"limit": limit, "offset": offset},
            self._nominal_page(kind, limit, offset),
            under_way,
            may_probe,
        )
        answer = await self.exchanger.ask(wanted, background, attempts)
        if background:
            # Several answers can come in one turn of the loop. They are read in one turn each, to keep turns short.
            async with self._one_a_turn:
                await asyncio.sleep(0)
        if answer.body is None:
            self._is_v4_api = False
        page = _decoded(wanted.path, _expected(wanted.path, answer.body), kind.decode_page)
        self._is_v4_api = True
        _check_count(wanted.path, page, offset)
        self._counts[kind.singular] = page.count
        # Behind the end of the list nothing is read and skipped (contract section 2).
        if answer.was_alone:
            self.costs.measured_page(kind, len(page.results), answer.seconds, offset if page.results else 0)
        self.drift.saw_fields(kind.singular, page.fields)
        for result in page.results:
            if isinstance(result, BadRecord):
                self.bad_records += 1
                self.drift.saw_unfit(result.kind, result.reason)
                _log.warning(
                    "upstream sent a %s that does not fit, id %s: %s", result.kind, result.id, result.reason
                )
        return page

    async def search(self, query: str) -> tuple[SearchHitRecord | BadRecord, ...]:
        """Return the hits for ``query``, best first, at most 20. Contract section 4.

        The query should be short, because its cost grows with its words. Upstream fails at a NUL.

        :raises UpstreamError: there is no such answer.
        """
        wanted = UpstreamRequest("search", "search/", {"q": query}, NOMINAL_SEARCH)
        answer = await self.exchanger.ask(wanted)
        hits = _decoded(wanted.path, _expected(wanted.path, answer.body), decode_search)
        for hit in hits:
            if isinstance(hit, BadRecord):
                self.bad_records += 1
                self.drift.saw_unfit(hit.kind, hit.reason)
                _log.warning("upstream sent a search hit that does not fit: %s", hit.reason)
        return hits

    def health(self) -> ClientHealth:
        """Return how upstream has answered so far, as it is now."""
        exchanger, costs = self.exchanger, self.costs
        return ClientHealth(
            breaker=exchanger.breaker.state,
            outcomes=dict(exchanger.outcomes),
            durations=exchanger.durations,
            last_outcome=exchanger.last_outcome,
            received_bytes=exchanger.received,
            seconds=exchanger.seconds,
            in_flight=exchanger.limiter.in_flight,
            in_flight_limit=exchanger.limiter.limit,
            bad_records=self.bad_records,
            drift=self.drift.seen(),
            costs=tuple(
                RequestCosts(kind.singular, costs.detail(kind), *costs.page_parts(kind), costs.skipped(kind))
                for kind in KINDS
            ),
        )

    def get_ready(self) -> None:
        """Import the HTTP library and make what carries the requests now, so that no request waits."""
        self._http.transport()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _check_that_it_is_a_v4_api(self, background: bool, attempts: int | None) -> None:
        """Check that upstream has lists, unless it has shown that, because another site at this address answers 404 to
        everything.

        Concurrent calls share the request, and its failure.

        :raises UpstreamError: it has no lists, or did not say.
        """
        failed_before = self._failed_check
        async with self._checking:
            if self._is_v4_api:
                return
            if self._failed_check is not None and self._failed_check is not failed_before:
                raise self._failed_check
            try:
                await self.page(CATEGORY, limit=1, background=background, attempts=attempts)
            except UpstreamError as error:
                self._failed_check = error
                raise
            self._failed_check = None

    def _nominal_page(self, kind: Kind[R], limit: int, offset: int) -> float:
        """Return what a page costs by the contract. Records that its list lacks are neither sent nor skipped."""
        count = self._counts.get(kind.singular)
        if count is None:
            return nominal_page(kind, limit)
        left = min(limit, max(0, count - offset))
        return nominal_page(kind, left, offset if left else 0)


def _expected(path: str, body: bytes | None) -> bytes:
    if body is None:
        missing = UpstreamBadData(f"Upstream has no /{path}; check that its address is that of a v4 API.")
        log_failure(path, missing)
        raise missing
    return body


def _check_count(path: str, page: Page[R], offset: int) -> None:
    """Check that the list can be as long as its page says.

    Ids count up from 1 and the newest come first (contract section 2), so behind a record there are fewer than its
    id. One such record is enough, because an id can be wrong by itself.

    :raises ContradictoryList: every record of the page shows that the list is shorter.
    """
    longest = [offset + n + result.id for n, result in enumerate(page.results) if result.id is not None]
    if longest and page.count > max(longest) + 1:
        raise ContradictoryList(
            f"Upstream's answer to /{path} says that there are {page.count:,} records, but its ids allow at "
            f"most {max(longest):,}."
        )


def _decoded(path: str, body: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(body)
    except UNDECODABLE as error:
        unfit = UpstreamBadData(f"Upstream's answer to /{path} is not as the v4 API promises: {error}.")
        log_failure(path, unfit)
        raise unfit from error
