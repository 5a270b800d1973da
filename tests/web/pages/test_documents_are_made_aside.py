"""Tests that the event loop goes on while a document is read and rendered, which takes up to a quarter of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import ParamSpec, TypeVar

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from web.pages.documentation import Documentation
from web.pages.page_frame import Site

P = ParamSpec("P")
T = TypeVar("T")


class OneThread(ThreadPoolExecutor):
    """Counts what it is given to do."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self.given = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        self.given += 1
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("name", ["", "README.md", "nothing.md"])
async def test_no_document_is_made_while_no_thread_is_free(name: str) -> None:
    documentation = Documentation(Site(demo=False, only_trusted=False))
    app = Starlette(routes=[Route("/docs/{path:path}", documentation.document)])
    free = Event()
    with OneThread() as threads:
        threads.submit(free.wait)
        asyncio.get_running_loop().set_default_executor(threads)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://gateway.test"
        ) as http:
            try:
                requests = [asyncio.create_task(http.get(f"/docs/{name}")) for _ in range(3)]
                for _ in range(100):
                    await asyncio.sleep(0)
                assert not any(request.done() for request in requests)
                # Beside the waiting above, the thread was given one request alone: a crowd does not take all threads.
                assert threads.given == 2
            finally:
                free.set()
            statuses = {response.status_code for response in await asyncio.gather(*requests)}
            assert statuses == {404 if name == "nothing.md" else 200}
