"""Serves the upstream of the benchmark: the embedded v4 API, with ids beside the links for peers that cannot read
links.

    python -m benchmarks.side_by_side.upstream --port 8801 --latency 20

Whatever stands before ``/api/v4/`` in a path is ignored, so that a peer's addresses can be made as long as it needs
them. If it begins with ``/c``, the answers may be kept by HTTP caches, which v4 itself never allows.
"""

from __future__ import annotations

import argparse
from typing import Any

import msgspec
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from upstream.embedded import EmbeddedUpstream

API = "/api/v4/"
CACHEABLE = (b"cache-control", b"public, max-age=3600")


class WithIds:
    """Is an ASGI app: the embedded upstream, whose records have ``category_id``, ``grid_refs`` and ``package_refs``."""

    def __init__(self, upstream: EmbeddedUpstream) -> None:
        self._upstream = upstream
        # A benchmark asks for the same few thousand bodies again and again.
        self._kept: dict[bytes, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        prefix, found, rest = scope.get("path", "").partition(API)
        if not found:
            await self._upstream(scope, receive, send)
            return
        path = API + rest
        more = [CACHEABLE] if prefix.startswith("/c") else []
        start: Message = {}

        async def with_ids(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body = self._kept.get(message["body"])
            if body is None:
                body = self._kept[message["body"]] = _with_ids(message["body"])
            headers = [header for header in start["headers"] if header[0].lower() != b"content-length"]
            headers += [(b"content-length", str(len(body)).encode()), *more]
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        await self._upstream({**scope, "path": path, "raw_path": path.encode()}, receive, with_ids)


def _with_ids(body: bytes) -> bytes:
    answer = msgspec.json.decode(body)
    for record in answer.get("results", [answer]):
        if isinstance(record.get("category"), str):
            record["category_id"] = _id(record["category"])
            record["grid_refs"] = [{"id": _id(link)} for link in record["grids"]]
        elif isinstance(record.get("packages"), list):
            record["package_refs"] = [{"id": _id(link)} for link in record["packages"]]
    return msgspec.json.encode(answer)


def _id(link: str) -> int:
    return int(link.rstrip("/").rpartition("/")[2])


def main() -> None:
    """Serve it until stopped."""
    arguments = argparse.ArgumentParser(description="Serve the upstream of the benchmark.")
    arguments.add_argument("--port", type=int, required=True, help="to listen on, at 127.0.0.1")
    arguments.add_argument("--latency", type=float, default=0, help="milliseconds before each answer")
    chosen: Any = arguments.parse_args()
    app = WithIds(EmbeddedUpstream(latency=chosen.latency / 1000))
    uvicorn.run(app, port=chosen.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
