"""Limits the requests that a client sends on a connection without waiting for the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from uvicorn.protocols.http.flow_control import FlowControl

MAX_PIPELINE = 2_000
"""The most requests that may wait behind one of their connection. One piece of bytes could have ten thousand otherwise,
for which a turn of the loop would take 0.15 seconds. A piece of requests with usual headers has half as many."""


class PipelineFlow(FlowControl):
    """Reads nothing while requests of a connection wait behind another one in its ``pipeline``.

    Uvicorn would read on whenever a request is received or answered, and hold more and more requests of a client that
    sends without waiting. The request that is being answered is whole when another one has begun behind it.
    """

    def __init__(self, transport: asyncio.Transport, pipeline: Collection[object]) -> None:
        super().__init__(transport)
        self._pipeline = pipeline

    def resume_reading(self) -> None:
        """Read on, unless requests wait."""
        if not self._pipeline:
            super().resume_reading()
