"""The v4 client: the only place that knows upstream's URLs.

It asks with GET, for JSON, under its own name, and forwards nothing of the gateway's clients: no cookie, no
Authorization, no Host (contract section 6). An answer is judged by status and content type before it is
parsed, because errors are HTML pages whatever was asked for (contract section 5). Redirects are not followed
and links never fetched. Every failure is an :class:`~upstream.errors.UpstreamError`; a missing record is
``None``.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import aiohttp
import httpx
import httpx_aiohttp
import msgspec

from upstream.errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from upstream.receipt import Exchange, note
from upstream.records import BadRecord, Kind, Page, R, SearchHit, decode_search

USER_AGENT = "djangopackages-graphql"

MAX_IN_FLIGHT = 8
"""Requests at a time. Upstream answers no faster beyond 4 (contract section 7)."""

TIME_LIMIT = 10.0
"""Seconds for one exchange: twenty times the slowest answer measured, a page of 1,000 packages."""

CONNECT_LIMIT = 3.0

IDLE_LIMIT = 1.5
"""Seconds that an idle connection is kept; upstream closes its side after 2.0 (contract section 6)."""

MAX_ID = 2**63 - 1
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Client:
    """Asks one upstream.

    ``base_url`` is the address of the v4 root, for example ``https://djangopackages.org/api/v4/``.
    ``transport`` carries the requests: :func:`network` or :func:`in_process`. ``time_limit`` is in seconds,
    for one exchange from its turn to the last byte.
    """

    def __init__(
        self, base_url: str, transport: httpx.AsyncBaseTransport, *, time_limit: float = TIME_LIMIT
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            transport=transport,
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            # Upstream's site pages set cookies; none is kept.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(time_limit, connect=CONNECT_LIMIT),
            trust_env=False,
        )
        self._time_limit = time_limit
        self._turn = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def detail(self, kind: Kind[R], key: int | str, *, asked: float | None = None) -> R | None:
        """The record with this id or slug; ``None`` if there is none.

        ``asked`` is when it was wanted (seconds, monotonic), if that was before now.

        Upstream takes a slug of digits for an id (contract section 1, "Lookup traps"), so it is never sent.

        :raises UpstreamError: upstream did not say whether there is one. Also for a slug of digits.
        """
        if isinstance(key, int):
            if not 0 <= key <= MAX_ID:
                return None
        elif not kind.has_slugs or not _SLUG.fullmatch(key):
            return None
        elif key.isdecimal():
            raise UpstreamUnavailable(
                f'No {kind.singular} can be looked up by the slug "{key}": upstream takes digits for an id. '
                "Ask by databaseId."
            )
        path = f"{kind.plural}/{key}/"
        body = await self._ask(kind.singular, path, {}, asked)
        if body is None:
            return None
        record = _decoded(path, body, kind.decode)
        answered = record.id if isinstance(key, int) else record.slug
        return record if answered == key else None

    async def page(
        self, kind: Kind[R], *, limit: int, offset: int = 0, asked: float | None = None
    ) -> Page[R]:
        """``limit`` (1 or more) records from place ``offset`` on, newest id first. Contract section 2.

        ``asked`` is as for :meth:`detail`.

        :raises UpstreamError: there is no such answer.
        """
        path = f"{kind.plural}/"
        body = await self._ask(f"{kind.plural} page", path, {"limit": limit, "offset": offset}, asked)
        page = _decoded(path, _expected(path, body), kind.decode_page)
        for result in page.results:
            if isinstance(result, BadRecord):
                _log.warning(
                    "upstream sent a %s that does not fit, id %s: %s", result.kind, result.id, result.reason
                )
        return page

    async def search(self, query: str) -> tuple[SearchHit | BadRecord, ...]:
        """The hits for ``query``, best first, at most 20. Contract section 4.

        :raises UpstreamError: there is no such answer.
        """
        path = "search/"
        body = await self._ask("search", path, {"q": query}, None)
        return _decoded(path, _expected(path, body), decode_search)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(
        self, kind: str, path: str, params: dict[str, int | str], asked: float | None
    ) -> bytes | None:
        """The body of a good answer; ``None`` if upstream says that there is no such record."""
        asked, size = time.monotonic() if asked is None else asked, 0
        try:
            async with self._turn, asyncio.timeout(self._time_limit):
                response = await self._http.get(path, params=params)
                size = len(response.content)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            raise _failure(path, error) from error
        finally:
            note(Exchange(kind=kind, bytes=size, asked=asked, ended=time.monotonic()))
        return _judged(path, response)


def network() -> httpx.AsyncBaseTransport:
    """Over the network, by aiohttp: it costs a seventh of httpx's own transport at 10 requests in flight."""

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=MAX_IN_FLIGHT, keepalive_timeout=IDLE_LIMIT)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )

    return httpx_aiohttp.AiohttpTransport(client=session)


def in_process(app: Callable[..., Awaitable[None]]) -> httpx.AsyncBaseTransport:
    """To an ASGI app in this process, without a socket."""
    return httpx.ASGITransport(app=app)


def _failure(path: str, error: Exception) -> UpstreamError:
    # The aiohttp transport calls some failed connections "ConnectTimeout"; the cause tells which was one.
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if isinstance(cause, (TimeoutError, httpx.TimeoutException)):
        return UpstreamTimeout(f"Upstream did not answer /{path} within its time limit.")
    if isinstance(cause, (aiohttp.ClientPayloadError, httpx.DecodingError)):
        return UpstreamUnavailable(f"Upstream's answer to /{path} broke off.")
    return UpstreamUnavailable(f"Upstream could not be reached for /{path}.")


def _judged(path: str, response: httpx.Response) -> bytes | None:
    """Contract section 5: status, then content type, and only then the body."""
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_json = content_type == "application/json"
    if status == 200 and is_json:
        return response.content
    if status == 404 and is_json:
        return None
    retry_after = _seconds(response.headers.get("Retry-After"))
    if status == 429:
        raise UpstreamRateLimited(f"Upstream answered /{path} with status 429.", retry_after=retry_after)
    if status >= 500:
        raise UpstreamUnavailable(f"Upstream answered /{path} with status {status}.", retry_after=retry_after)
    if status in (200, 404):
        raise UpstreamBadData(
            f"Upstream answered /{path} with {status} and {content_type or 'no content type'}, not JSON."
        )
    raise UpstreamBadData(f"Upstream answered /{path} with status {status}.")


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` in seconds, from a number or a date; ``None`` if it is neither (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def _expected(path: str, body: bytes | None) -> bytes:
    if body is None:
        raise UpstreamBadData(f"Upstream has no /{path}: is its address that of the v4 API?")
    return body


def _decoded(path: str, body: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise UpstreamBadData(
            f"Upstream's answer to /{path} is not as the v4 API promises: {error}."
        ) from error
