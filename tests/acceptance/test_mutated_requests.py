"""Sends a thousand requests, each right except for one mutation. The answer is always a well-formed 4xx, and the
gateway survives."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.streaming_gateway import Served, served

RIGHT = {
    "query": "query Q($id: Int!) { package(databaseId: $id) { title } }",
    "operationName": "Q",
    "variables": {"id": 1599},
    "extensions": {},
}
VALUES: list[object] = [None, True, False, 0, -1, 1.5, 1e308, 10**400, "", "x", [], [RIGHT], {}, {"a": []}]
NOT_JSON = [
    b"",
    b" ",
    b"{",
    b"}",
    b"nul",
    b"NaN",
    b"Infinity",
    b"{'query': 1}",
    b"\x00",
    b"\xef\xbb\xbf",
    b"query=1",
]
EVERYTHING = 1000

Wire = bytes
"""The bytes of a request as it is sent."""


def post(body: bytes, *headers: str, method: str = "POST") -> Wire:
    lines = [
        f"{method} /graphql HTTP/1.1",
        "Host: gateway.test",
        "Accept: application/graphql-response+json",
        "Connection: close",
        *(headers or ("Content-Type: application/json",)),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def wrong_types() -> Iterator[Wire]:
    """Yield the body with another type at each of its places."""
    allowed: dict[str, tuple[type, ...]] = {
        "query": (),
        "operationName": (str, type(None)),
        "variables": (),
        "extensions": (dict, type(None)),
    }
    for name, fitting in allowed.items():
        for value in VALUES:
            # An operation of another name is wrong too, and so is a missing variable.
            if not isinstance(value, fitting) or value == "x":
                yield post(encoded(RIGHT | {name: value}))
    for value in VALUES:
        if value not in (0, -1):
            yield post(encoded(RIGHT | {"variables": {"id": value}}))
        yield post(encoded(value) if value != [RIGHT] else b"[]")


def broken_json(chance: random.Random) -> Iterator[Wire]:
    """Yield a body that is cut, or has bytes that JSON does not allow."""
    right = encoded(RIGHT)
    for body in NOT_JSON:
        yield post(body)
    while True:
        place = chance.randrange(len(right))
        yield post(right[:place])
        yield post(right[:place] + bytes([chance.choice((0, 1, 0x80, 0xC0, 0xFF))]) + right[place:])
        yield post(right + bytes([chance.choice(b'{}[]",:x1')]))


def nested(chance: random.Random) -> Iterator[Wire]:
    """Yield deeply nested bodies."""
    while True:
        depth = chance.choice((600, 5_000, 100_000))
        yield post(b"[" * depth)
        within = b'{"id":' * depth + b"1" + b"}" * depth
        yield post(encoded(RIGHT)[:-1].replace(b'{"id": 1599}', within) + b"}")
        yield post(encoded({"query": "{ a " * depth + "}" * depth}))
        yield post(encoded({"query": "{ package(slug: " + "[" * depth + "]" * depth + ") { title } }"}))


def doubled(chance: random.Random) -> Iterator[Wire]:
    """Return a body with two members of one name."""
    while True:
        name = chance.choice(list(RIGHT))
        yield post(encoded(RIGHT)[:-1] + b", " + encoded({name: RIGHT[name]})[1:])


def wrong_documents(chance: random.Random) -> Iterator[Wire]:
    """Yield a document with a part that is missing, doubled or of another kind."""
    document = RIGHT["query"]
    assert isinstance(document, str)
    while True:
        place = chance.randrange(1, len(document) - 1)
        yield post(encoded(RIGHT | {"query": document[:place]}))
        strange = chance.choice(("\0", "\ud800", "}}", "{", "$", "@", "...", "😀", '"', "fragment"))
        yield post(encoded(RIGHT | {"query": document[:-1] + strange}))
        yield post(encoded(RIGHT | {"query": "{ " + strange}))


def wrong_headers(chance: random.Random) -> Iterator[Wire]:
    """Yield the right body with other headers."""
    types = (
        "text/plain",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        "x",
        "application/json; charset=x",
    )
    while True:
        yield post(encoded(RIGHT), f"Content-Type: {chance.choice(types)}")
        yield post(encoded(RIGHT), "X-None: 1")
        encoding = chance.choice(("gzip", "br", "x"))
        yield post(encoded(RIGHT), "Content-Type: application/json", f"Content-Encoding: {encoding}")
        yield post(encoded(RIGHT), method=chance.choice(("PUT", "DELETE", "PATCH")))


def broken_http(chance: random.Random) -> Iterator[Wire]:
    """Yield bytes that are no HTTP."""
    start = b"POST /graphql HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n"
    chunked = start + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield chunked + chance.choice((b"x\r\n", b"-1\r\n{}\r\n", b"FFFFFFFFFFFFFFFFFF\r\n", b"2\r\n{}}\r\n"))
        yield start + b"Content-Length: " + chance.choice((b"x", b"-1", b"1e3")) + b"\r\n\r\n{}"
        yield chance.choice((b"POST\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET /graphql HTTP/9.9\r\n\r\n"))


def mutated() -> list[Wire]:
    chance = random.Random(7)
    requests = list(wrong_types())
    kinds = [broken_json, nested, doubled, wrong_documents, wrong_headers, broken_http]
    endless = [kind(chance) for kind in kinds]
    while len(requests) < EVERYTHING:
        requests += [next(kind) for kind in endless]
    return requests[:EVERYTHING]


async def answered(address: str, request: Wire) -> bytes:
    """Return everything that the server sends until it closes."""
    host, _, port = urlsplit(address).netloc.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


async def test_every_answer_is_a_well_formed_4xx(gateway: Served, caplog: pytest.LogCaptureFixture) -> None:
    assert gateway.ask("{ package(databaseId: 1599) { title } }")
    files = len(os.listdir("/proc/self/fd"))
    with caplog.at_level(logging.ERROR):
        for request in mutated():
            head, _, body = (await answered(gateway.address, request)).partition(b"\r\n\r\n")
            assert re.match(rb"HTTP/1\.1 4\d\d ", head), (request[:500], head, body[:500])
            if (
                body != b"Invalid HTTP request received."
            ):  # The server itself answers so to bytes that are no HTTP.
                response = json.loads(body)
                assert response.keys() == {"errors"}
                for error in response["errors"]:
                    assert error["message"]
                    assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"
    assert [record for record in caplog.records if record.name.startswith("web")] == []
    await asyncio.to_thread(gateway.wait_until_idle)
    assert len(os.listdir("/proc/self/fd")) <= files + 2
    assert gateway.ask("{ package(databaseId: 1599) { title } }")


@pytest.mark.parametrize("kind", ["length", "chunks"])
async def test_a_client_that_stops_in_its_body_leaves_nothing_behind(
    gateway: Served, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    start = b"POST /graphql HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n"
    rest = (
        b"Content-Length: 100\r\n\r\n{" if kind == "length" else b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"
    )
    host, _, port = urlsplit(gateway.address).netloc.partition(":")
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            _reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(start + rest)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        await asyncio.to_thread(gateway.wait_until_idle)
    assert caplog.records == []


def test_the_storage_is_none_the_worse(gateway: Served, tmp_path: Path) -> None:
    gateway.crawl()
    assert gateway.storage.stat().st_size > 0
