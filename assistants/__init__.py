"""Offers the catalog to assistants by the Model Context Protocol (MCP), over HTTP and over standard input and output.

The SDK of the protocol is imported when the first assistant asks, because it takes about a second.
"""

from assistants.http_endpoint import NOT_INSTALLED, AssistantEndpoint, is_installed
from assistants.standard_streams import serve_standard_streams

__all__ = ["NOT_INSTALLED", "AssistantEndpoint", "is_installed", "serve_standard_streams"]
