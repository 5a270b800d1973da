"""Redirects an address that differs from one that is served only by a slash at its end.

Starlette does this too, but to an address with a scheme and a host. Behind a proxy that speaks TLS, or that sends
another ``Host``, that would be an address of the gateway which its clients cannot reach.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.routing import Match, Router
from starlette.types import Receive, Scope, Send


class SlashRedirects:
    """Answers what no route of a router matches."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect to the address with a slash more or less, if a route has that, else answer 404."""
        path = scope["path"]
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        asked = {**scope, "path": other}
        if scope["type"] != "http" or not any(
            route.matches(asked)[0] is not Match.NONE for route in self._router.routes
        ):
            await self._router.not_found(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        await RedirectResponse(f"{other}?{query}" if query else other)(scope, receive, send)
