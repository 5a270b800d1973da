"""Requests whose bytes are known get the bytes that the ordinary way gives, as long as that gives them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.freshness import Snapshot
from gateway.persisted.trusted_documents import LOOK_AGAIN
from tests.support.bare_connections import request
from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_over
from tests.support.listening_gateway import (
    POST,
    TIMES,
    Listening,
    Wire,
    gateway,
    get,
    learnt,
    listening,
    timeless,
    wire,
)
from tests.support.trusted_documents import write
from upstream.embedded import EmbeddedUpstream
from web.repeated_request_cache import ASKED_ONCE, LONGEST

__all__ = ["gateway", "wire"]

PACKAGES = "{ packages(first: 50) { nodes { title slug category { title } } } }"


@pytest.mark.parametrize(
    "sent",
    [
        POST,
        get(QUERY),
        get(QUERY, "Accept: application/graphql-response+json"),
        get(QUERY, "If-None-Match: *"),
        get(QUERY, 'If-None-Match: "another"'),
        POST.replace(b"POST", b"QUERY", 1),
        get(PACKAGES, "Accept-Encoding: gzip"),
        request(PACKAGES, "Accept-Encoding: br", "User-Agent: a browser"),
        get("query Q { package(databaseId: 1599) { slug } }") + b"\r\n",
    ],
)
async def test_a_repeated_request_gets_the_same_status_headers_and_body(
    gateway: Listening, wire: Wire, sent: bytes
) -> None:
    ordinary = await learnt(gateway, wire, sent)
    for _ in range(3):
        assert timeless(await wire.ask(sent)) == timeless(ordinary)
    assert gateway.unparsed == 3
    assert ordinary.startswith(b"HTTP/1.1 304" if b"Match: *" in sent else b"HTTP/1.1 200 OK\r\n")


async def test_who_names_the_tag_of_the_answer_is_known_too(gateway: Listening, wire: Wire) -> None:
    tag = re.search(rb"\r\netag: (\S+)", await wire.ask(get(QUERY)))
    assert tag is not None
    sent = get(QUERY, f"If-None-Match: {tag[1].decode()}")
    answers = [await wire.ask(sent) for _ in range(TIMES + 1)]
    assert {timeless(answer) for answer in answers} == {timeless(answers[0])}
    assert answers[0].startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert gateway.unparsed == 1


async def test_a_request_is_known_on_all_connections(gateway: Listening, wire: Wire) -> None:
    ordinary = await learnt(gateway, wire)
    async with gateway.connect() as other:
        assert timeless(await other.ask(POST)) == timeless(ordinary)
    assert gateway.unparsed == 1


async def test_other_headers_are_another_request(gateway: Listening, wire: Wire) -> None:
    await learnt(gateway, wire)
    await wire.ask(request(QUERY, "User-Agent: another"))
    assert gateway.unparsed == 0


async def test_the_headers_are_those_of_this_second(gateway: Listening, wire: Wire) -> None:
    ordinary = await learnt(gateway, wire)
    source = gateway.app.parts.source
    snapshot = source.latest
    assert snapshot is not None
    source.publisher.snapshot = replace(snapshot, refreshed_at=datetime.now(UTC) - timedelta(seconds=500.5))
    gateway.second(b"Sun, 29 Nov 2026 12:00:00 GMT")
    known = await wire.ask(POST)
    assert gateway.unparsed == 1
    assert b"\r\nage: 500\r\n" in known
    assert b"\r\ndate: Sun, 29 Nov 2026 12:00:00 GMT\r\n" in known
    assert b"max-age=560," in known
    assert b"\r\nage: 500\r\n" not in ordinary


async def test_a_new_version_of_the_catalog_forgets_all(
    gateway: Listening, wire: Wire, embedded: EmbeddedUpstream
) -> None:
    await learnt(gateway, wire)
    embedded.catalog.update_package(1599, title="another title")
    await gateway.app.parts.source.crawl()
    after = [await wire.ask(POST) for _ in range(TIMES)]
    assert all(b"another title" in answer for answer in after)
    assert gateway.unparsed == 0
    assert b"another title" in await wire.ask(POST)
    assert gateway.unparsed == 1
    assert len(gateway.app.parts.repeated_requests) == 1


async def test_a_crawl_that_finds_nothing_new_forgets_nothing(gateway: Listening, wire: Wire) -> None:
    await learnt(gateway, wire)
    await gateway.app.parts.source.crawl()
    await wire.ask(POST)
    assert gateway.unparsed == 1


async def test_another_manifest_of_trusted_documents_is_no_longer_known_by_the_one_before(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    write(manifest, {"an-id": QUERY})
    app = app_over(embedded, trusted_documents=str(manifest), trusted_documents_mode="only")
    sent = b"GET /graphql?documentId=an-id HTTP/1.1\r\nHost: gateway\r\n\r\n"
    async with listening(app) as gateway, gateway.connect() as wire:
        await learnt(gateway, wire, sent)
        write(manifest, {"an-id": "{ categories { title } }"})
        await asyncio.sleep(LOOK_AGAIN)
        assert b'{"data":{"categories":' in await wire.ask(sent)
        assert gateway.unparsed == 0
        for _ in range(TIMES):
            assert b'{"data":{"categories":' in await wire.ask(sent)
        assert gateway.unparsed == 1


async def test_an_expired_catalog_answers_nothing_known(gateway: Listening, wire: Wire) -> None:
    await learnt(gateway, wire)
    snapshot = gateway.app.parts.source.latest
    assert snapshot is not None
    gateway.app.parts.source.publisher.snapshot = Snapshot(snapshot.catalog, datetime(2020, 1, 1, tzinfo=UTC))
    assert b"cache-control: no-store" in await wire.ask(POST)
    assert gateway.unparsed == 0


async def test_an_answer_without_its_body_is_not_learnt(gateway: Listening, wire: Wire) -> None:
    for _ in range(TIMES + 1):
        wire.writer.write(get(QUERY, method="HEAD"))
        assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (0, 0)


async def test_what_a_proxy_makes_different_each_time_is_not_learnt(gateway: Listening, wire: Wire) -> None:
    for number in range(2 * TIMES):
        await wire.ask(request(QUERY, f"X-Request-ID: {number}"))
    assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (0, 0)


async def test_a_request_that_came_long_ago_comes_for_the_first_time(gateway: Listening, wire: Wire) -> None:
    await wire.ask(POST)
    await wire.ask(POST)
    for number in range(ASKED_ONCE):
        await wire.ask(request(QUERY, f"X-Request-ID: {number}"))
    await wire.ask(POST)
    assert len(gateway.app.parts.repeated_requests) == 0
    await wire.ask(POST)
    assert len(gateway.app.parts.repeated_requests) == 1


async def test_a_long_request_is_not_learnt(gateway: Listening, wire: Wire) -> None:
    sent = request(QUERY + " " * LONGEST)
    for _ in range(TIMES + 1):
        assert (await wire.ask(sent)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (0, 0)


async def test_what_is_known_stays_within_the_budget_of_all_answers(embedded: EmbeddedUpstream) -> None:
    async with (
        listening(app_over(embedded, response_cache_bytes=30_000)) as gateway,
        gateway.connect() as wire,
    ):
        budget = gateway.app.parts.responses.answers.budget
        for number in range(100):
            for _ in range(TIMES):
                await wire.ask(request(QUERY, f"User-Agent: {number}"))
            assert budget.taken <= 30_000
        known = len(gateway.app.parts.repeated_requests)
        assert 5 < known < 30
        before = gateway.unparsed
        # Those that came last stayed.
        await wire.ask(request(QUERY, "User-Agent: 0"))
        assert gateway.unparsed == before
        await wire.ask(request(QUERY, "User-Agent: 99"))
        assert gateway.unparsed == before + 1
        for number in range(200):
            await wire.ask(request(f"{{ package(databaseId: {number}) {{ slug }} a: __typename }}"))
        assert len(gateway.app.parts.repeated_requests) == 0


async def test_where_not_every_origin_may_read_the_answers_nothing_is_learnt(
    embedded: EmbeddedUpstream,
) -> None:
    app = app_over(embedded, cors_origins="https://ours.example")
    async with listening(app) as gateway, gateway.connect() as wire:
        for _ in range(TIMES + 1):
            answer = await wire.ask(request(QUERY, "Origin: https://ours.example"))
            assert b"\r\naccess-control-allow-origin: https://ours.example\r\n" in answer
        assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (0, 0)
