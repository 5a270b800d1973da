"""Declares what the gateway's own server offers for one request, beyond what every ASGI server offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from starlette.types import Scope, Send

from web.cache_headers import Headers

if TYPE_CHECKING:
    from web.repeated_head_cache import RepeatedHead

_NAME = "gateway.server"
"""The name of the extension in the ASGI scope."""


class ServerExtension(Protocol):
    """Gives access to one request, as the server has it."""

    request: bytes | None
    """All its bytes, if it came in one piece and asks nothing of its connection."""
    was_tried: bool
    """Whether it could not be answered at once when its head was known."""
    learn_head: Callable[[bytes], RepeatedHead | None] | None
    """Learns its head from its bytes, if that can be worth it."""

    def write(self, send: Send, status: int, headers: Headers, body: bytes) -> bool:
        """Write a whole response in one piece. ``False`` if it has to be sent by ``send``, which is that of the app.

        The headers have the length of the body, or the status is one without a body.
        """


def extend(scope: Any, extension: ServerExtension) -> None:
    """Offer the extension to the app."""
    scope["extensions"] = {_NAME: extension}


def extension_of(scope: Scope) -> ServerExtension | None:
    """Return the extension, if the server has it."""
    extension: ServerExtension | None = scope.get("extensions", {}).get(_NAME)
    return extension
