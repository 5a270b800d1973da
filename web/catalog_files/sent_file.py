"""Sends an open file, whole or in part, and never reads much of it into memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from catalog.export import OpenedFile
from web.cache_headers import names_tag
from web.catalog_files.byte_ranges import ByteRange, UnsatisfiableRange, asked_range

CHUNK = 1 << 18
"""The most bytes that are read at once. The next are read when the client has taken these."""


class SentFile:
    """Answers a GET or HEAD with a file, which it closes: 200, 206, 304 or 416 (RFC 9110).

    ``headers`` are the headers of the whole file without its length and tag.
    """

    def __init__(self, opened: OpenedFile, headers: Mapping[str, str]) -> None:
        self._opened = opened
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as an ASGI app."""
        leaving = asyncio.create_task(_leaving(receive))
        try:
            await self._send(scope, Headers(scope=scope), send, leaving)
        finally:
            leaving.cancel()
            self._opened.close()

    async def _send(self, scope: Scope, asked: Headers, send: Send, leaving: asyncio.Task[None]) -> None:
        size, tag = self._opened.size, f'"{self._opened.digest}"'
        told = {"ETag": tag, "Accept-Ranges": "bytes", **self._headers}
        part: ByteRange | None = None
        if names_tag(", ".join(asked.getlist("If-None-Match")).encode("latin-1"), tag.encode()):
            await _start(send, 304, told)
            await send({"type": "http.response.body"})
            return
        try:
            part = asked_range(asked, tag, size) if scope["method"] == "GET" else None
        except UnsatisfiableRange:
            await _start(send, 416, {**told, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
            await send({"type": "http.response.body"})
            return
        first, length = part or (0, size)
        if part is not None:
            told["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
        await _start(send, 200 if part is None else 206, {**told, "Content-Length": str(length)})
        await self._send_bytes(send, first, 0 if scope["method"] == "HEAD" else length, leaving)

    async def _send_bytes(self, send: Send, first: int, length: int, leaving: asyncio.Task[None]) -> None:
        handle = self._opened.file.fileno()
        end = first + length
        while first < end:
            if leaving.done():
                return
            body = await asyncio.to_thread(os.pread, handle, min(CHUNK, end - first), first)
            if not body:
                raise EOFError("A file of the catalog has become shorter than it was.")
            first += len(body)
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})


async def _leaving(receive: Receive) -> None:
    """Wait until the client leaves. The body of a GET, if there is one, is ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
