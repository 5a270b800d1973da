"""Serves as a floor: an ASGI app that sends ready bytes and looks at nothing but the path.

``READY`` names a folder; the app answers ``/NAME`` with the bytes of the file ``NAME`` in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from starlette.types import Message, Receive, Scope, Send


def _messages(body: bytes) -> tuple[Message, Message]:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return (
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


_ready = {f"/{file.name}": _messages(file.read_bytes()) for file in Path(os.environ["READY"]).iterdir()}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request, send the answer."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    start, body = _ready[scope["path"]]
    await send(start)
    await send(body)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
