"""Serves an assistant that started this process, on the standard streams."""

from __future__ import annotations

from assistants.tools import Tools
from gateway import Gateway


async def serve_standard_streams(gateway: Gateway) -> None:
    """Answer an assistant on standard input and output until the input ends. The SDK has to be installed."""
    from mcp.server.stdio import stdio_server

    from assistants.mcp_server import make_server

    server = make_server(Tools(gateway))
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
