"""Requests with a repeated head and a new body get the bytes that the ordinary way gives, or take that way."""

from __future__ import annotations

import re

import pytest

from gateway.current_caller import Caller
from tests.support.gateway_in_process import app_over
from tests.support.listening_gateway import Listening, Wire, gateway, get, listening, timeless, wire
from tests.support.repeated_request_heads import (
    MANY,
    body,
    ids,
    on_ordinary_way,
    ordinary,
    post,
    taught,
    title,
    titled,
)
from upstream.embedded import EmbeddedUpstream
from web.repeated_head_cache import LONGEST

__all__ = ["gateway", "ordinary", "wire"]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Accept: application/graphql-response+json",),
        (
            "Accept: application/graphql-response+json, application/json;q=0.9, multipart/mixed, text/event-stream",
        ),
        ("accept-encoding: gzip, br", "USER-AGENT: a browser"),
        ("Accept-Encoding: zstd", 'If-None-Match: "a tag"', "Origin: https://pages.example"),
        ("Content-Encoding: identity", "X-Forwarded-For: 198.51.100.7"),
    ],
)
async def test_a_new_body_behind_a_known_head_gets_the_same_status_headers_and_body(
    gateway: Listening, ordinary: Listening, wire: Wire, headers: tuple[str, ...]
) -> None:
    await taught(gateway, wire, *headers)
    before, answered = gateway.parsed, 0
    bodies = [body(id=id) for id in (await ids(gateway))[:20]]
    bodies += [body(MANY, first=first) for first in range(3, 30, 5)]
    bodies += [b'{"operationName": "", "extensions": {}, "documentId": null, ' + body(MANY, first=31)[1:]]
    for sent in bodies:
        at_once = await wire.ask(post(sent, *headers))
        assert timeless(at_once) == timeless(await on_ordinary_way(ordinary, post(sent, *headers))), sent
        answered += 1
    # The head of a request with a body that may be encoded is not known.
    assert gateway.parsed == before + (answered if "Content-Encoding: identity" in headers else 0)


@pytest.mark.parametrize(
    "sent",
    [
        body("{ package(databaseId: 1) {"),
        body("{ nothing }"),
        body("{ package(databaseId: 4000000) { title } }"),
        body('{ package(slug: "") { title } }'),
        body("{ __schema { queryType { name } } }"),
        body("subscription { catalogChanged { version } }"),
        body("{ catalog { version } }"),
        body("{ a: __typename ... @defer { b: __typename } }"),
        body('query @asOf(time: "2020-01-01T00:00:00Z") { __typename }'),
        b"",
        b"[]",
        b"[" + body() + b"]",
        b"null",
        b"{",
        b'{"query": 1}',
        b'{"query": " "}',
        b'{"query": "{ __typename }", "query": "{ __typename }"}',
        b'\xef\xbb\xbf{"query": "{ __typename }"}',
        b'{"query": "{ __typename }\xff"}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "onError": "WHAT"}',
        b'{"query": "{ __typename }", "operationName": "another"}',
        b'{"documentId": "unknown"}',
        b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "unknown"}}}',
        b'{"query": "{ __typename }", "extensions": {"explain": true}}',
        b'{"query": "{ __typename }", "another": 1}',
        b'{"query": "{ __typename }", "another": "\xff"}',
        body(id="no number"),
        body(),
        body(id=1.0),
        b"[" * 10_000,
    ],
)
async def test_what_has_no_answer_at_once_takes_the_ordinary_way(
    gateway: Listening, ordinary: Listening, wire: Wire, sent: bytes
) -> None:
    await taught(gateway, wire)
    await on_ordinary_way(ordinary, post(body(id=5)))
    before = gateway.parsed
    for _ in range(2):
        answer, expected = await wire.ask(post(sent)), await on_ordinary_way(ordinary, post(sent))
        assert without_times(answer) == without_times(expected)
    assert gateway.parsed == before + 2
    # The connection goes on, and after one more request its head is known again.
    new = iter(await ids(gateway))
    for _ in range(2):
        await wire.ask(post(body(id=next(new))))
    before = gateway.parsed
    await wire.ask(post(body(id=next(new))))
    assert gateway.parsed == before


def without_times(answer: bytes) -> bytes:
    answer = re.sub(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+", b"", answer)
    answer = re.sub(
        rb'"(cursor|endCursor|steps|seconds|id|refreshedAt|ageSeconds)":("[^"]*"|[0-9.]+)', b"", answer
    )
    return re.sub(rb"content-length: \d+", b"", timeless(answer))


@pytest.mark.parametrize(
    "header",
    [
        "X-Gateway-Receipt: 1",
        "X-Gateway-Explain: 1",
        "Router-Authorization: a secret",
        "apollo-federation-include-trace: ftv1",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        f"X-Long: {'x' * LONGEST}",
    ],
)
async def test_a_head_that_asks_for_more_or_is_long_is_not_known(
    gateway: Listening, wire: Wire, header: str
) -> None:
    await taught(gateway, wire, header)
    before = gateway.parsed
    for id in (await ids(gateway))[:3]:
        await wire.ask(post(body(id=id), header))
    assert gateway.parsed == before + 3


async def test_other_methods_and_paths_have_other_heads(gateway: Listening, wire: Wire) -> None:
    await taught(gateway, wire)
    first, second, third, *_ = await ids(gateway)
    before = gateway.parsed
    await wire.ask(get(f"{{ package(databaseId: {first}) {{ title }} }}"))
    await wire.ask(post(body(id=second)).replace(b"POST", b"QUERY", 1))
    assert (await wire.ask(post(body(id=third)).replace(b"/graphql", b"/nothing", 1))).startswith(
        b"HTTP/1.1 404"
    )
    assert gateway.parsed == before + 3


async def test_a_new_catalog_answers_from_then_on(
    gateway: Listening, wire: Wire, embedded: EmbeddedUpstream
) -> None:
    await taught(gateway, wire)
    id = (await ids(gateway))[7]
    embedded.catalog.update_package(id, title="another title")
    await gateway.app.parts.source.crawl()
    before = gateway.parsed
    assert titled(await wire.ask(post(body(id=id)))) == "another title"
    assert gateway.parsed == before


async def test_they_are_cached_and_counted_as_others_are(gateway: Listening, wire: Wire) -> None:
    await taught(gateway, wire)
    parts = gateway.app.parts
    first, second, *_ = await ids(gateway)
    labels = ("POST", "/graphql", 200)
    operations = parts.gateway.measurements.durations["query", "answered"]

    def counts() -> tuple[int, ...]:
        return (
            parts.metrics.requests.counts[labels],
            sum(parts.metrics.requests.durations[("/graphql",)].counts),
            sum(operations.counts),
            parts.gateway.measurements.from_memory,
            gateway.state.total_requests,
            len(parts.gateway.answers),
            parts.gateway.answers.missed,
        )

    before = counts()
    parsed = gateway.parsed
    for id in (first, second):
        await wire.ask(post(body(id=id)))
    assert gateway.parsed == parsed
    assert counts() == tuple(count + 2 for count in before)
    # The same request is found by its meaning, then by its bytes, and known in the end.
    found, found_by_bytes = parts.gateway.answers.found, parts.responses.found
    for _ in range(4):
        await wire.ask(post(body(id=first)))
    assert parts.gateway.answers.found == found + 1
    assert parts.responses.found == found_by_bytes + 2
    assert gateway.unparsed == 1


async def test_they_cost_their_client_what_others_cost_and_are_refused_as_others_are(
    embedded: EmbeddedUpstream,
) -> None:
    app = app_over(embedded, fair_use="10000", trusted_proxies="127.0.0.1/32")
    async with listening(app) as gateway, gateway.connect() as wire:
        client = "X-Forwarded-For: 198.51.100.9"
        await taught(gateway, wire, client)
        fair_use = app.parts.gateway.fair_use
        assert fair_use is not None
        before, parsed = fair_use.taken, gateway.parsed
        for id in (await ids(gateway))[:10]:
            await wire.ask(post(body(id=id), client))
        assert gateway.parsed == parsed
        assert fair_use.taken == before + 10 * 3
        told = fair_use.allowance("198.51.100.9")
        assert told is not None
        assert fair_use.wait("198.51.100.9", told.remaining) == 0
        refused = await wire.ask(post(body(id=(await ids(gateway))[11]), client))
        assert refused.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        assert fair_use.refused == 1


async def test_they_need_not_queue_behind_other_connections(gateway: Listening, wire: Wire) -> None:
    await taught(gateway, wire)
    admission = gateway.app.parts.gateway.admission
    turns = [admission.turn() for _ in range(admission.limits.running)]
    for number, turn in enumerate(turns):
        turn._key = Caller(str(number), number)
        await turn.__aenter__()
    before = gateway.parsed
    wire.writer.write(post(body(id=(await ids(gateway))[9])))
    assert titled(await wire.answer()) == await title(gateway, (await ids(gateway))[9])
    assert gateway.parsed == before
    for turn in turns:
        await turn.__aexit__(None, None, None)
