"""Watches the connection: for a body that arrives, and for a client that leaves before its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Message, Receive

from gateway import EagerAwaitable
from web.request_parsing import MAX_BODY, BadRequest

BODY_SECONDS = 20
"""Seconds for a whole body to arrive: a megabyte at 400 kbit/s."""

T = TypeVar("T")


class ClientLeft(Exception):
    """Says that the client closed its connection, so that nobody waits for the answer."""


async def read_body(receive: Receive, seconds: float = BODY_SECONDS) -> bytes:
    """Return the body of a request.

    :raises BadRequest: the body is too large, or takes too long.
    :raises ClientLeft: the connection ended too early.
    """
    first = EagerAwaitable(receive())
    if first.is_done and not first.result.get("more_body"):
        return _begin_of_body(first.result)
    task = asyncio.current_task()
    assert task is not None
    late = _Late(task)
    # This does what asyncio.timeout does in a fifth of its time.
    deadline = asyncio.get_running_loop().call_later(seconds, late.come)
    try:
        message = await first
        body = _begin_of_body(message)
        return await _rest(receive, bytearray(body)) if message.get("more_body") else body
    except asyncio.CancelledError:
        if not (late.has_come and task.uncancel() == 0):
            raise
        sentence = f"The body did not arrive within {seconds:g} seconds."
        raise BadRequest(408, sentence, {"Connection": "close"}) from None
    finally:
        deadline.cancel()


async def as_long_as_there(receive: Receive, work: Awaitable[T]) -> T:
    """Return the outcome of ``work``, which is cancelled if the client leaves.

    :raises ClientLeft: the client left.
    """
    begun = EagerAwaitable(work)
    if begun.is_done:
        return begun.result
    task = asyncio.current_task()
    assert task is not None
    watch = _Watch(receive, task)
    watching = asyncio.create_task(watch.watch())
    try:
        return await begun
    except asyncio.CancelledError:
        if watch.client_left and task.uncancel() == 0:
            raise ClientLeft from None
        raise
    finally:
        watching.cancel()


class _Watch:
    def __init__(self, receive: Receive, working: asyncio.Task[object]) -> None:
        self.client_left = False
        self._receive = receive
        self._working = working

    async def watch(self) -> None:
        # The body of a GET, if there is one, is ignored.
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.client_left = True
        self._working.cancel()


class _Late:
    def __init__(self, waiting: asyncio.Task[object]) -> None:
        self.has_come = False
        self._waiting = waiting

    def come(self) -> None:
        self.has_come = True
        self._waiting.cancel()


async def _rest(receive: Receive, body: bytearray) -> bytes:
    more = True
    while more:
        message = await receive()
        body += _part(message)
        _check_size(len(body))
        more = message.get("more_body", False)
    return bytes(body)


def _begin_of_body(message: Message) -> bytes:
    body = _part(message)
    _check_size(len(body))
    return body


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientLeft
    part: bytes = message.get("body", b"")
    return part


def _check_size(size: int) -> None:
    if size > MAX_BODY:
        raise BadRequest(413, f"The body has more than {MAX_BODY:,} bytes.", {"Connection": "close"})
