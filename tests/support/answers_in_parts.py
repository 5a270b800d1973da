"""Provides the parts of an answer, as a gateway sends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import Message

from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from web.incremental_delivery import in_parts


async def parts_of(gateway: Gateway, query: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the parts as they are sent, by an ASGI app that sends them at once."""
    received = b""

    async def send(message: Message) -> None:
        nonlocal received
        received += message.get("body", b"")

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    prepared = await gateway.prepare(GraphQLRequest(query), gateway.source.current())
    await in_parts(gateway, prepared, [])(scope, receive, send)
    for part in received.split(b"\r\n---"):
        content = part.partition(b"\r\n\r\n")[2]
        if content:
            yield json.loads(content)
