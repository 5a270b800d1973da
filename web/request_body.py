"""Reads the body of a request, within a limit of bytes and one of time."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive

from gateway import EagerAwaitable
from web.client_disconnects import ClientLeft
from web.request_parsing import MAX_BODY, BadRequest

BODY_SECONDS = 20
"""Seconds for a whole body to arrive: a megabyte at 400 kbit/s."""


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
