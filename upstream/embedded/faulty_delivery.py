"""Sends answers, with the changes that faults make. No other code sends anything."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import Receive, Send

from .editable_catalog import EmbeddedCatalog
from .faults import (
    BadField,
    ContentType,
    Dropped,
    Effect,
    Endless,
    InsertAfterList,
    Latency,
    Nested,
    Oversized,
    Poisoned,
    RemoveAfterList,
    ShortPage,
    Slow,
    StatusFault,
    Truncated,
    WrongCount,
)
from .http_responses import JSON, EmbeddedAnswer, json_error, site_page
from .row_json import compact

CHUNK = 65_536
MAX_CHUNKS = 2_000
"""The most chunks of blanks. Nobody reads 131 MB, and a client in the same process would have to keep an endless
body."""


@dataclass
class Delivery:
    """Holds an answer with what happens to it on its way."""

    answer: EmbeddedAnswer
    delay: float = 0.0
    dropped: bool = False
    has_failed: bool = False
    """True when an effect has ended the request, so that the later ones do not come to it."""
    bad_fields: list[BadField] = field(default_factory=list)
    content_type: bytes | None = None
    depth: int = 0
    factor: float = 1.0
    size: int = 0
    is_endless: bool = False
    missing: int = 0
    cut: Truncated | None = None
    trickle: Slow | None = None

    def apply(self, effect: Effect, catalog: EmbeddedCatalog) -> None:
        """Let one effect change the delivery."""
        match effect:
            case Latency(seconds=seconds):
                self.delay += seconds
            case Dropped():
                self.dropped = self.has_failed = True
            case StatusFault() | Poisoned():
                self.answer = _failed(effect) if isinstance(effect, StatusFault) else site_page(500)
                self.has_failed = True
                self.bad_fields.clear()
            case ContentType(value=value):
                self.content_type = value.encode()
            case BadField():
                if self.answer.content_type == JSON:
                    self.bad_fields.append(effect)
            case Nested(depth=depth):
                self.depth = depth
            case WrongCount(factor=factor):
                self.factor = factor
            case Oversized(bytes=size):
                self.size = size
            case Endless():
                self.is_endless = self.answer.chunked = True
            case ShortPage(missing=missing):
                self.missing = missing
            case Truncated():
                self.cut = effect
            case Slow():
                self.trickle = effect
            case InsertAfterList():
                catalog.insert_package()
            case RemoveAfterList(id=package_id):
                if package_id in catalog.packages:
                    catalog.remove_package(package_id)

    async def send(self, receive: Receive, send: Send, *, with_body: bool) -> int:
        """Send the answer as far as it gets, and return the number of bytes of its body that were sent."""
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.dropped:
            await _hang_up(receive, send, at_once=True)
            return 0
        answer = self._spoilt()
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.wire_headers()})
        body = answer.body if with_body else b""
        if self.cut is not None and not self.cut.framed and with_body:
            part = body[: int(len(body) * self.cut.share)]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await _hang_up(receive, send, at_once=False)
            return len(part)
        if self.trickle is not None:
            return await _trickle(body, self.trickle, receive, send)
        if self.is_endless:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            return len(body) + await _go_on(receive, send)
        await send({"type": "http.response.body", "body": body})
        return len(body)

    def _spoilt(self) -> EmbeddedAnswer:
        """Return the answer with a wrong body or type; in this order, whatever the order of the rules."""
        answer = self.answer
        for bad_field in self.bad_fields:
            answer.body = _with_bad_field(answer, bad_field)
        if self.factor != 1 and answer.content_type == JSON:
            answer.body = _with_wrong_count(answer, self.factor)
        if self.missing and answer.content_type == JSON:
            answer.body = _with_short_page(answer, self.missing)
        if self.depth and answer.body.startswith(b"{"):
            nested = b"[" * self.depth + b"]" * self.depth
            answer.body = b'{"nested":' + nested + b"," + answer.body[1:]
        answer.body = answer.body.ljust(self.size)
        if self.cut is not None and self.cut.framed:
            answer.body = answer.body[: int(len(answer.body) * self.cut.share)]
        if self.content_type is not None:
            answer.replace_header(b"content-type", self.content_type)
        return answer


async def _hang_up(receive: Receive, send: Send, *, at_once: bool) -> None:
    """End the connection without ending the answer.

    ASGI has no message for that. On uvicorn `send` is a method of the object that holds the socket's
    transport; it is closed, and the disconnect awaited, so that the server does not put a 500 of its own in
    place. In process there is no socket, and the caller gets the error that a socket would have given.
    """
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("The embedded upstream dropped the connection.")
    if at_once:
        transport.abort()
    else:
        transport.close()
    await _left(receive)


async def _left(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _trickle(body: bytes, trickle: Slow, receive: Receive, send: Send) -> int:
    """Send a body in small pieces until the client has gone, and return the number of bytes that were sent."""
    gone = asyncio.create_task(_left(receive))
    step, sent = max(1, trickle.chunk), 0
    try:
        while sent < len(body) and not gone.done():
            piece = body[sent : sent + step]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += len(piece)
            await asyncio.wait([gone], timeout=trickle.pause)
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})
    return sent


async def _go_on(receive: Receive, send: Send) -> int:
    """Send blanks until the client has gone, or `MAX_CHUNKS` of them, and return the number of bytes that were sent."""
    gone = asyncio.create_task(_left(receive))
    chunk, chunks = b" " * CHUNK, 0
    try:
        while not gone.done() and chunks < MAX_CHUNKS:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)
            chunks += 1
    finally:
        gone.cancel()
    return chunks * CHUNK


def _failed(effect: StatusFault) -> EmbeddedAnswer:
    answer = json_error(effect.code, "Not as asked.") if effect.is_json else site_page(effect.code)
    if effect.retry_after is not None:
        answer.headers.append((b"retry-after", effect.retry_after.encode()))
    if effect.location is not None:
        answer.headers.append((b"location", effect.location.encode()))
    return answer


def _with_bad_field(answer: EmbeddedAnswer, effect: BadField) -> bytes:
    document = msgspec.json.decode(answer.body)
    for record in document["results"] if answer.is_list else [document]:
        if record["id"] == effect.id:
            record[effect.field] = effect.value
    return compact(document)


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _with_wrong_count(answer: EmbeddedAnswer, factor: float) -> bytes:
    document: dict[str, Any] = _members.decode(answer.body)
    document["count"] = int(msgspec.json.decode(document["count"]) * factor)
    return compact(document)


def _with_short_page(answer: EmbeddedAnswer, missing: int) -> bytes:
    document = msgspec.json.decode(answer.body)
    del document["results"][-missing:]
    return compact(document)
