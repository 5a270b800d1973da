"""Crawls an upstream into a catalog file and kills the crawl: once for each line of its input.

    python -m tests.support.killed_crawls http://127.0.0.1:8801/api/v4/ catalog.sqlite

A line is a JSON object: how many ``seconds`` after its ``begin`` or after its last ``list`` the crawl is killed by
SIGKILL; without them it is not. For each line it answers with one, of how that went. Each crawl has a process of its
own, forked, so that the imports are waited for once.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from importlib import import_module

from tests.support.settings_for_tests import settings_for_tests
from wiring import open_source

IMPORTED = (
    "catalog.catalog_source",
    "upstream.batching.batcher",
    "upstream.client.http_transport",
    "catalog.storage.sqlite_storage",
)
"""What a crawl imports when it needs it."""


def main(upstream: str, storage: str) -> None:
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            asyncio.run(crawl(upstream, storage, writer))
        os.close(writer)
        listed = begun
        if order["after"] == "list":
            os.read(reader, 1)
            listed = time.monotonic()
        if order["seconds"] is not None:
            time.sleep(order["seconds"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ended = time.monotonic()
        os.close(reader)
        done = {"status": status, "sinceBegin": ended - begun, "sinceList": ended - listed}
        sys.stdout.write(json.dumps(done) + "\n")
        sys.stdout.flush()


async def crawl(upstream: str, storage: str, listed: int) -> None:
    def progress(kind: str, _read: int, _count: int) -> None:
        if kind == "categories":  # the last list
            os.write(listed, b".")

    async with open_source(settings_for_tests(upstream=upstream, storage=storage)) as source:
        await source.crawl(progress)
        os._exit(0)  # with nothing closed, as when it is killed


if __name__ == "__main__":
    main(*sys.argv[1:])
