"""Serves GraphiQL, the page that a browser gets at the endpoint, with the project's examples as its tabs.

The page is a form that works at once, without script and without a network, and has its first answer in it. GraphiQL
replaces the form when it has loaded. If ``make graphiql`` has built it, every byte of it comes from the gateway.
Otherwise it is GraphiQL 3 from a CDN, whose files are checked by their hashes. The bundle of version 4 has no history
beside other plugins, and version 5 is published only as modules, for which no CDN serves a bundle with fixed bytes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from catalog import Snapshot
from gateway import Gateway, GraphQLRequest, codes_of, masked
from gateway.persisted import NO_GRAPHIQL, Refused
from web.client_disconnects import ClientLeft, as_long_as_there
from web.content_negotiation import weighted
from web.http_responses import decoded, refusal
from web.pages.page_frame import FramedPage, Site, framed
from web.pages.prebuilt_files import PrebuiltFiles
from web.pages.query_form import SCRIPT, Asked, answer_html, query_form
from web.request_parsing import BadRequest, HttpRequest, parameters, read_get
from web.security_headers import SECURITY_HEADERS

_FOLDER = Path(__file__).parent / "graphiql"
_BUILT = _FOLDER / "dist"
CANONICAL = Path(__file__).parent.parent.parent / "examples" / "canonical.graphql"
"""The first tab, and the query that the README and the start of the server show."""

_CDN_SCRIPT = _FOLDER / "src" / "cdn.js"
_GZIP = 31
"""The number by which zlib makes a stream of gzip with the largest window."""

_ANSWER_PLACE = "<!-- answer -->"
"""Marks the place of the answer. Texts of users are escaped, so that none of them contains this mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphiQLPage:
    """Serves the page as an ASGI app. The part before the answer is sent at once, and the answer follows.

    ``answer`` gives the body of the answer; None if there is nothing to answer yet.
    """

    asked: Asked
    answer: Callable[[], Awaitable[bytes]] | None
    site: Site
    built: Path = _BUILT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page."""
        before, _, after = self.html().partition(_ANSWER_PLACE)
        headers = self.headers()
        pack = None
        if weighted(Headers(scope=scope).get("Accept-Encoding", "")).get("gzip"):
            # All browsers accept gzip, and a part of it can be sent before the rest is ready.
            pack = zlib.compressobj(6, wbits=_GZIP)
            headers["Content-Encoding"] = "gzip"
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": encoded})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        beginning = before.encode()
        if pack:
            beginning = pack.compress(beginning) + pack.flush(zlib.Z_SYNC_FLUSH)
        await send({"type": "http.response.body", "body": beginning, "more_body": True})
        try:
            body = await as_long_as_there(receive, self.answer()) if self.answer else None
        except ClientLeft:
            return
        end = (answer_html(body) + after).encode()
        await send({"type": "http.response.body", "body": pack.compress(end) + pack.flush() if pack else end})

    def headers(self) -> dict[str, str]:
        """Return the headers of the page."""
        return {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": _policy(None if is_built(self.built) else _CDN_SCRIPT),
            "Cache-Control": "no-store",
            "Vary": "Accept, Accept-Encoding",
            **decoded(SECURITY_HEADERS),
        }

    def html(self) -> str:
        """Return the page, with a mark in the place of the answer."""
        names = {path.stem: path for path in examples()}
        links = [
            f'<li><a href="{escape(link_to(_text(path)))}">{name}</a></li>' for name, path in names.items()
        ]
        form = query_form(self.asked, _ANSWER_PLACE, keeps_address=True)
        script = "/graphiql/page.js" if is_built(self.built) else "/graphiql/source/cdn.js"
        main = f"""<h1 class="unseen">GraphiQL</h1>
<div id="plain">
<nav class="examples" aria-label="Examples"><h2>Examples</h2><ul>
{chr(10).join(links)}
</ul></nav>
{form}
</div>
<div id="graphiql" class="waiting"></div>"""
        page = FramedPage(
            title="GraphiQL: Django Packages",
            main=main,
            description="Write a query, run it, and share it by its address.",
            kind="explorer",
            here="/graphql",
            styles=("query_form", "explorer"),
            scripts=(SCRIPT, script),
        )
        return framed(page, self.site)


def graphiql_page(gateway: Gateway, http: HttpRequest, snapshot: Snapshot | None) -> GraphiQLPage:
    """Return the page with the query in the address and its answer; without one, with the canonical query.

    :raises BadRequest: the parameters in the address cannot be read.
    """
    params = parameters(http)
    is_given = bool(params.get("query", "").strip())
    query = params["query"] if is_given else _text(CANONICAL)

    async def answer() -> bytes:
        try:
            request = read_get(http, gateway.persisted) if is_given else GraphQLRequest(query)
            return (await gateway.execute(request, snapshot)).body
        except Refused as refused:
            return refused.body
        except BadRequest as error:
            return bytes(refusal(error.status, str(error)).body)
        except Exception as error:
            told = masked(error, f"{http.method} /graphql")
            gateway.measurements.told(codes_of([told]))
            return msgspec.json.encode({"errors": [told]})

    return GraphiQLPage(
        asked=Asked(query, params.get("variables", ""), params.get("operationName", "")),
        # A page without a query in its address does not wait for upstream.
        answer=answer if is_given or snapshot is not None else None,
        site=Site(gateway.source.embedded, gateway.persisted.only_trusted),
    )


def no_graphiql() -> Response:
    """Return the sentence in place of the page where only trusted documents run."""
    return PlainTextResponse(NO_GRAPHIQL, 403)


def examples() -> list[Path]:
    """Return the files of the examples, the canonical one first."""
    others = sorted(path for path in CANONICAL.parent.glob("*.graphql") if path != CANONICAL)
    return [CANONICAL, *others]


def link_to(query: str, **variables: object) -> str:
    """Return the address under which a browser gets the page with this query, and others its answer."""
    parameters = {"query": query}
    if variables:
        parameters["variables"] = msgspec.json.encode(variables).decode()
    return f"/graphql?{urlencode(parameters)}"


def is_built(folder: Path = _BUILT) -> bool:
    """Return whether GraphiQL comes from the gateway itself."""
    return (folder / "page.js").exists()


def graphiql_routes() -> list[BaseRoute]:
    """Return the page by its own name, and what it loads."""
    return [
        Route("/graphiql", _page_at_endpoint),
        Route("/graphiql/tabs.json", _tabs),
        Mount("/graphiql/source", PrebuiltFiles(_FOLDER / "src")),
        Mount("/graphiql", PrebuiltFiles(_BUILT)),
    ]


@cache
def _policy(cdn_script: Path | None) -> str:
    """Return a policy that allows scripts and styles of this origin and of the exact addresses in ``cdn_script``.

    Monaco and CodeMirror write style elements and attributes as they go, hence ``unsafe-inline`` for styles.
    """
    named = re.findall(r'"(https://[^"]+)"', _text(cdn_script)) if cdn_script else []
    scripts = " ".join(["'self'", *(address for address in named if address.endswith(".js"))])
    styles = " ".join(
        ["'self'", "'unsafe-inline'", *(address for address in named if address.endswith(".css"))]
    )
    return (
        f"default-src 'none'; script-src {scripts}; worker-src 'self'; style-src {styles}; font-src 'self' data:; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def _page_at_endpoint(request: Request) -> Response:
    return RedirectResponse(f"/graphql?{request.url.query}" if request.url.query else "/graphql")


async def _tabs(_request: Request) -> Response:
    tabs = [{"query": _text(path)} for path in examples()]
    return Response(msgspec.json.encode(tabs), media_type="application/json")
