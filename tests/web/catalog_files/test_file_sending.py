"""Tests how files are sent: in pieces, each when the one before was taken, and no more to a client that has left."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.web.catalog_files.conftest import Crawled
from web.catalog_files.sent_file import CHUNK


@pytest.fixture(scope="module")
def packages() -> int:
    """Return as many that their file has more than one piece."""
    return 300


def open_files() -> list[str]:
    """Return the paths of the files that this process has open."""
    paths = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            paths.append(str(each.readlink()))
    return paths


class Taking:
    """Is a client that takes one piece of an answer after another, and may leave."""

    def __init__(self, crawled: Crawled, path: str) -> None:
        self.left = asyncio.Event()
        self._offered: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._taken = asyncio.Semaphore(0)
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"gateway.test")],
        }
        self.answering = asyncio.create_task(crawled.app(scope, self._receive, self._send))

    async def next(self) -> MutableMapping[str, Any]:
        """Return the next piece, which is not taken yet, and nothing is offered behind it."""
        piece = await asyncio.wait_for(self._offered.get(), 30)
        assert self._offered.empty()
        return piece

    def take(self) -> None:
        self._taken.release()

    @property
    def offers_nothing(self) -> bool:
        return self._offered.empty()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self._offered.put_nowait(message)
        await self._taken.acquire()

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}


async def test_a_file_is_sent_in_pieces_each_when_the_one_before_was_taken(crawled: Crawled) -> None:
    path = crawled.path("catalog.sqlite")
    size = len((await crawled.http.get(path)).content)
    assert size > CHUNK
    client = Taking(crawled, path)
    assert (await client.next())["status"] == 200
    client.take()
    lengths, more = [], True
    while more:
        piece = await client.next()
        lengths.append(len(piece.get("body", b"")))
        more = piece.get("more_body", False)
        client.take()
    await client.answering
    assert (sum(lengths), max(lengths)) == (size, CHUNK)
    assert not [each for each in open_files() if each.startswith(str(crawled.folder))]


async def test_nothing_more_is_read_for_a_client_that_has_left(crawled: Crawled) -> None:
    path = crawled.path("catalog.sqlite")
    assert len((await crawled.http.get(path)).content) > CHUNK
    client = Taking(crawled, path)
    await client.next()
    client.take()
    assert len((await client.next())["body"]) == CHUNK
    client.left.set()
    # Let the gateway hear of it, which takes some turns of the loop, before its piece counts as sent.
    for _ in range(20):
        await asyncio.sleep(0)
    client.take()
    await client.answering
    assert client.offers_nothing
    assert not [each for each in open_files() if each.startswith(str(crawled.folder))]
