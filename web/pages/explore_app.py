"""Serves the built example app grid-compare under /explore."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from web.content_negotiation import accept_of, accepted
from web.pages.page_frame import POLICY, FramedPage, Site, framed
from web.pages.prebuilt_files import PrebuiltFiles

APP = Path(__file__).parent.parent.parent / "examples" / "frontends" / "grid-compare" / "dist"

_NOT_BUILT = (
    "The app at /explore is not built. `make explore` builds it; it needs npm and Node.js 20.19 or newer.\n"
)

_NOT_BUILT_PAGE = """<h1>Not built yet</h1>
<p class="lead">The app that compares the packages of a grid has to be built once. That needs npm and
Node.js 20.19 or newer; this gateway serves the app as soon as it is there.</p>
<div class="copied"><pre><code>make explore</code></pre></div>
<p class="lead">Until then <a href="/">the home page</a> has grids and packages to browse, and
<a href="/graphql">GraphiQL</a> answers any question.</p>"""

_HEADERS = {
    # The scripts, styles, fonts and data of the app are all of this origin.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
}


def is_built() -> bool:
    """Return whether the app can be served."""
    return (APP / "index.html").is_file()


class Explore(PrebuiltFiles):
    """Serves the files of the build as they are. Every other path is a page that the app itself shows."""

    def __init__(self, site: Site, folder: Path = APP) -> None:
        super().__init__(folder)
        self._site = site
        self._page = folder / "index.html"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the build, or say how to make it: to a browser in a page, to others in one sentence."""
        if scope["type"] == "http" and not self._page.is_file():
            await self._not_built(accept_of(scope["headers"]))(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def _not_built(self, accept: str | None) -> Response:
        if not accepted(accept).page:
            return PlainTextResponse(_NOT_BUILT, 404)
        page = FramedPage(
            title="Not built yet: Django Packages, as a graph",
            main=_NOT_BUILT_PAGE,
            kind="not-built",
            here="/explore/",
            scripts=("/pages/scripts/copy_buttons.js",),
        )
        return HTMLResponse(framed(page, self._site), 404, {"Content-Security-Policy": POLICY})

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file at ``path`` of the build, or the app's page."""
        is_asset = Path(path).parts[:1] == ("assets",)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or is_asset:
                raise
            response = await super().get_response(self._page.name, scope)
        if is_asset:
            # Vite names them by the hash of their content.
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers.update(_HEADERS)
        return response
