"""Runs the command ``mcp``: it offers the tools to an assistant on the same machine, over standard input and output."""

from __future__ import annotations

import asyncio

from cli.arguments import UpstreamFlag, settings_or_stop
from cli.error_exit import stop


def mcp(upstream: UpstreamFlag = None) -> None:
    """Answer an assistant by the Model Context Protocol over standard input and output."""
    from assistants import NOT_INSTALLED, is_installed
    from upstream.client import StorageUnavailable

    if not is_installed():
        stop(NOT_INSTALLED)
    try:
        asyncio.run(_serve(upstream))
    except StorageUnavailable as error:
        stop(str(error))


async def _serve(upstream: str | None) -> None:
    from assistants import serve_standard_streams
    from wiring import make_gateway, open_source

    # Only the owner of the machine asks here.
    settings = settings_or_stop(upstream=upstream, router_secret="", trusted_documents_mode="off")
    async with open_source(settings) as source:
        await serve_standard_streams(make_gateway(settings, source))
