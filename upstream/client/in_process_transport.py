"""Carries requests to an upstream in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx


def in_process(app: Callable[..., Awaitable[None]]) -> httpx.AsyncBaseTransport:
    """Return a transport to an ASGI app in this process, without a socket."""
    return httpx.ASGITransport(app=app)
