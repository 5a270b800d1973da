"""Tests the v4 client: what it asks, and how it judges answers (contract sections 1, 2, 5 and 6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.api_client import Client
from upstream.client.exchange_receipt import Receipt, recording
from upstream.client.upstream_errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE
from upstream.embedded.recorded_packages import seed_record

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
Handler = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def client_of(handler: Handler) -> AsyncIterator[tuple[Client, list[httpx.Request]]]:
    """Return a client whose upstream is ``handler``, and the requests it sent."""
    requests: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return handler(request)

    client = Client("https://djangopackages.test/api/v4/", httpx.MockTransport(record), CLIENT_LIMITS)
    yield client, requests
    await client.aclose()


def answering(status: int, headers: dict[str, str] = JSON, body: bytes = b"{}") -> Handler:
    return lambda _request: httpx.Response(status, headers=headers, content=body)


EMPTY_LIST: dict[str, object] = {"count": 0, "next": None, "previous": None, "results": []}


async def test_a_detail_is_asked_politely() -> None:
    async with client_of(answering(200, body=json.dumps(seed_record(1599)).encode())) as (client, requests):
        package = await client.detail(PACKAGE, 1599)
    assert package is not None
    assert package.title == "django-celery-email"
    (request,) = requests
    assert (request.method, str(request.url)) == ("GET", "https://djangopackages.test/api/v4/packages/1599/")
    assert request.headers["Accept"] == "application/json"
    assert request.headers["User-Agent"] == "djangopackages-graphql"
    assert not {"cookie", "authorization"} & request.headers.keys()


async def test_a_page_is_asked_by_limit_and_offset() -> None:
    body = b'{"count":0,"next":null,"previous":null,"results":[]}'
    async with client_of(answering(200, body=body)) as (client, requests):
        page = await client.page(GRID, limit=7, offset=14)
    assert (page.count, page.results) == (0, ())
    assert str(requests[0].url) == "https://djangopackages.test/api/v4/grids/?limit=7&offset=14"


async def test_cookies_of_upstream_are_not_kept() -> None:
    headers = JSON | {"Set-Cookie": "csrftoken=abc; Path=/"}
    async with client_of(answering(404, headers)) as (client, requests):
        for id in (1, 2):
            with pytest.raises(UpstreamBadData):
                await client.detail(PACKAGE, id)
    assert "cookie" not in requests[1].headers


async def test_a_json_404_is_a_missing_record() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_list = request.url.path.endswith("/categories/")
        return httpx.Response(
            200 if is_list else 404, json=EMPTY_LIST if is_list else {"detail": "Not found."}
        )

    async with client_of(answer) as (client, requests):
        assert await client.detail(PACKAGE, 99999) is None
        assert await client.detail(PACKAGE, 99998) is None
        assert len(requests) == 3  # the first is believed once a list shows that it is the API


async def test_a_json_404_of_an_upstream_without_lists_is_no_missing_record() -> None:
    async with client_of(answering(404)) as (client, _requests):
        with pytest.raises(UpstreamBadData, match="no /categories/; check that its address is that of a v4"):
            await client.detail(PACKAGE, 99999)


async def test_a_list_that_is_gone_ends_the_belief_in_404s() -> None:
    gone: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        is_list = request.url.path.endswith("/categories/") and not gone
        return httpx.Response(
            200 if is_list else 404, json=EMPTY_LIST if is_list else {"detail": "Not found."}
        )

    async with client_of(answer) as (client, requests):
        assert await client.detail(PACKAGE, 99999) is None
        gone.append("the site has moved")
        with pytest.raises(UpstreamBadData):
            await client.page(GRID, limit=1)
        with pytest.raises(UpstreamBadData):
            await client.detail(PACKAGE, 99999)
    assert [request.url.path.removeprefix("/api/v4/") for request in requests] == [
        "packages/99999/",
        "categories/",
        "grids/",
        "packages/99999/",
        "categories/",
    ]


@pytest.mark.parametrize(
    ("handler", "error", "sentence"),
    [
        (answering(404, HTML), UpstreamBadData, "with 404 and text/html, not JSON"),
        (answering(200, HTML), UpstreamBadData, "with 200 and text/html, not JSON"),
        (answering(200, {}), UpstreamBadData, "with 200 and no content type, not JSON"),
        (answering(301, HTML | {"Location": "/x/"}), UpstreamBadData, "with status 301"),
        (answering(410), UpstreamBadData, "with status 410"),
        (answering(429), UpstreamRateLimited, "with status 429"),
        (answering(500, HTML), UpstreamUnavailable, "with status 500"),
        (answering(503, HTML), UpstreamUnavailable, "with status 503"),
    ],
)
async def test_an_answer_is_judged_by_status_and_content_type(
    handler: Handler, error: type[UpstreamError], sentence: str
) -> None:
    async with client_of(handler) as (client, _requests):
        with pytest.raises(error) as caught:
            await client.detail(PACKAGE, 1)
    assert str(caught.value) == f"Upstream answered /packages/1/ {sentence}."
    assert type(caught.value) is error


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'"\xff"', b"[" * 100_000])
async def test_a_body_that_is_no_record_is_bad_data(body: bytes) -> None:
    async with client_of(answering(200, body=body)) as (client, _requests):
        with pytest.raises(UpstreamBadData, match="not as the v4 API promises"):
            await client.detail(PACKAGE, 1)


async def test_a_list_that_is_not_there_is_bad_data() -> None:
    async with client_of(answering(404)) as (client, _requests):
        with pytest.raises(UpstreamBadData, match="check that its address is that of a v4 API"):
            await client.page(PACKAGE, limit=1)


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_read_as_seconds_or_date(status: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=240), usegmt=True)
    for value, seconds in [("240", 240), (date, 240), ("soon", None), ("-1", None)]:
        async with client_of(answering(status, JSON | {"Retry-After": value})) as (client, _requests):
            with pytest.raises(UpstreamError) as caught:
                await client.detail(PACKAGE, 1)
        assert caught.value.retry_after == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (httpx.ConnectError("refused"), UpstreamUnavailable),
        (httpx.ReadError("cut"), UpstreamUnavailable),
        (httpx.RemoteProtocolError("cut"), UpstreamUnavailable),
        (httpx.ReadTimeout("slow"), UpstreamTimeout),
        (ConnectionResetError(), UpstreamUnavailable),
    ],
)
async def test_no_library_exception_escapes(raised: Exception, error: type[UpstreamError]) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise raised

    async with client_of(fail) as (client, _requests):
        with pytest.raises(error):
            await client.detail(PACKAGE, 1)


@pytest.mark.parametrize("key", [-1, 2**63, "", "a.b", "a/b", "a\x00b", "é", "a" * 51, "../grids/15"])
async def test_a_key_that_no_record_can_have_is_missing_without_a_request(key: int | str) -> None:
    async with client_of(answering(500)) as (client, requests):
        assert await client.detail(PACKAGE, key) is None
    assert requests == []


@pytest.mark.parametrize("slug", ["1599", "404", "007"])
async def test_a_slug_of_digits_is_never_sent(slug: str) -> None:
    async with client_of(answering(500)) as (client, requests):
        with pytest.raises(UpstreamUnavailable, match="reads digits as an id"):
            await client.detail(PACKAGE, slug)
    assert requests == []


async def test_a_category_is_never_asked_by_slug() -> None:
    async with client_of(answering(500)) as (client, requests):
        assert await client.detail(CATEGORY, "apps") is None
    assert requests == []


async def test_an_answer_with_another_slug_is_not_the_answer() -> None:
    async with client_of(answering(200, body=json.dumps(seed_record(1599)).encode())) as (client, _requests):
        assert await client.detail(PACKAGE, "Django-Celery-Email") is None


async def test_exchanges_are_noted_on_the_open_receipt_even_when_they_fail() -> None:
    receipt = Receipt()
    async with client_of(answering(500, HTML, b"<html>")) as (client, _requests):
        with recording(receipt):
            await asyncio.gather(client.detail(PACKAGE, 1), return_exceptions=True)
            await asyncio.gather(client.page(GRID, limit=1), return_exceptions=True)
        await asyncio.gather(client.detail(PACKAGE, 2), return_exceptions=True)
    assert receipt.summary() | {"milliseconds": 0} == {
        "requests": 2,
        "requestsByKind": {"package": 1, "grids page": 1},
        "rounds": 2,
        "bytes": 12,
        "recordsFromMemory": 0,
        "milliseconds": 0,
    }
