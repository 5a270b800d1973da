"""Serves ``/mcp``. The SDK of the protocol is imported with the first request, in a thread: it takes a second."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistants.tools import Tools
from gateway import Gateway

if TYPE_CHECKING:
    from assistants.mcp_server import HttpRequests

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""The names by which programs of this machine reach it."""

NOT_INSTALLED = "The SDK of the Model Context Protocol is not installed; `make mcp` installs it."


def is_installed() -> bool:
    """Return whether the SDK is there, without importing it."""
    return find_spec("mcp") is not None


class AssistantEndpoint:
    """Answers requests by the Model Context Protocol over HTTP."""

    def __init__(self, gateway: Gateway, hosts: list[str]) -> None:
        """Take requests for ``hosts``, names without ports, and for the loopback names."""
        self._gateway = gateway
        self._names = [*LOOPBACK, *hosts]
        self._requests: HttpRequests | None = None
        self._importing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Only POST is served, because there are no sessions and no streams."""
        if scope["method"] != "POST":
            await _refused(405, "Only POST is allowed at /mcp.", {"Allow": "POST"})(scope, receive, send)
            return
        if not is_installed():
            await _refused(501, NOT_INSTALLED)(scope, receive, send)
            return
        await (await self._made())(scope, receive, send)

    async def _made(self) -> HttpRequests:
        async with self._importing:
            if self._requests is None:
                server = await asyncio.to_thread(import_module, "assistants.mcp_server")
                hosts = [each for name in self._names for each in (name, f"{name}:*")]
                origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
                self._requests = server.HttpRequests(Tools(self._gateway), hosts, origins)
            return self._requests


def _refused(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": sentence}}
    return Response(msgspec.json.encode(error), status, headers, "application/json")
