"""Speaks the Model Context Protocol by its SDK, which is large: this file is imported when an assistant asks."""

from __future__ import annotations

from typing import Any

import msgspec
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ListedTool
from starlette.types import Receive, Scope, Send

from assistants.tools import Tool, ToolFailed, Tools

MAX_REQUEST_BYTES = 100_000
"""The largest request: the largest document of a query with its variables."""

_NAME = "djangopackages"

_INSTRUCTIONS = (
    "Facts about packages for Django from Django Packages. find_packages finds packages and grids by words; "
    "compare_grid and package take their slugs. Tell people how old the catalog is if that matters."
)


class HttpRequests:
    """Answers requests over HTTP, each by itself, and keeps nothing between them."""

    def __init__(self, tools: Tools, hosts: list[str], origins: list[str]) -> None:
        """Take requests for these ``hosts``, and of browsers those that come from these ``origins``.

        Both may end with ``:*`` for any port.
        """
        self._server = make_server(tools)
        self._security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        manager = StreamableHTTPSessionManager(
            self._server,
            json_response=True,
            stateless=True,
            security_settings=self._security,
            max_request_body_size=MAX_REQUEST_BYTES,
        )
        # Its tasks end with the request, and count for the connection of the request.
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def make_server(tools: Tools) -> Server[Any]:
    """Make what answers by the protocol, over any transport."""

    async def list_tools(_context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_listed(tool) for tool in tools.listed()])

    async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
        try:
            answer = await tools.call(params.name, params.arguments or {})
        except ToolFailed as error:
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
        # The answer is also sent as text, for clients that do not read structured content (MCP, Tools, structured
        # content).
        text = TextContent(type="text", text=answer.decode())
        return CallToolResult(content=[text], structured_content=msgspec.json.decode(answer))

    return Server(
        _NAME,
        title="Django Packages",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _listed(tool: Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )
