"""Answers requests as the real application of the v4 API would.

The steps have the real order, because it decides which error wins: line length, Host, route, format and Accept,
authentication, method, and then the lookup.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qs, quote, urlencode

from . import http_responses
from .editable_catalog import EmbeddedCatalog
from .format_negotiation import NotAcceptable, UnknownFormat, negotiate
from .http_responses import EmbeddedAnswer, json_answer, json_error, site_page
from .paging import LimitOverflow, page_of
from .row_json import Links, Templates, compact, indented
from .row_types import GridRow, Kind
from .search_endpoint import EmbeddedSearch
from .shifted_dates import DAY_ZERO

_LONGEST_LINE = 4094

_SUFFIX = r"\.(?P<format>[a-z0-9]+)/?"
_ROOT = re.compile(rf"/api/v4/(?:{_SUFFIX})?")
_LIST = re.compile(rf"/api/v4/(?P<kind>packages|grids|categories)(?:/|{_SUFFIX})")
_DETAIL = re.compile(rf"/api/v4/(?P<kind>packages|grids|categories)/(?P<key>[^/.]+)(?:/|{_SUFFIX})")
_SEARCH = re.compile(rf"/api/v4/search(?:/|{_SUFFIX})")

_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[a-f0-9]*:[a-f0-9.:]+\])(?::[0-9]+)?")

_MODELS: dict[Kind, str] = {"packages": "Package", "grids": "Grid", "categories": "Category"}
_KINDS: dict[str, Kind] = {"packages": "packages", "grids": "grids", "categories": "categories"}


@dataclass(frozen=True)
class EmbeddedRequest:
    """Holds the parts of an HTTP request that the API looks at."""

    method: str
    path: str
    """Decoded, so that an encoded slash is a slash."""
    target: str
    """Path and query as they were sent."""
    query: str
    headers: Mapping[str, str]

    @property
    def links(self) -> Links | None:
        """Return what hyperlinks begin with, by the Host header; None if that is invalid (contract, section 6)."""
        host = self.headers.get("host", "testserver")
        if not _HOST.fullmatch(host.lower()):
            return None
        return Links(f"{'https' if self.is_secure else 'http'}://{host}".encode())

    @property
    def is_secure(self) -> bool:
        """Return whether the proxy in front says that the client used https."""
        return self.headers.get("x-forwarded-proto", "").partition(",")[0].strip() == "https"


class V4:
    """Answers over one catalog, whose dates are relative to the day that ``today`` gives."""

    def __init__(self, catalog: EmbeddedCatalog, today: Callable[[], date]) -> None:
        self.catalog = catalog
        self._today = today
        self._templates = Templates(catalog)
        self._index: EmbeddedSearch | None = None

    def answer(self, request: EmbeddedRequest, *, database_down: bool = False) -> EmbeddedAnswer:
        """Return the complete answer, before any fault."""
        self._templates.move((self._today() - DAY_ZERO).days)
        # The request line, as the HTTP server in front of the application counts it.
        length = len(request.method) + len(request.target) + len("  HTTP/1.1")
        if length > _LONGEST_LINE:
            return http_responses.line_too_long(length, _LONGEST_LINE)
        links = request.links
        if links is None:
            return http_responses.bad_host()
        answer = self._route(request, links, database_down)
        if request.is_secure:
            answer.headers.append(http_responses.STRICT_TRANSPORT)
        return answer

    def _route(self, request: EmbeddedRequest, links: Links, database_down: bool) -> EmbeddedAnswer:
        path = request.path
        if match := _ROOT.fullmatch(path):
            return self._api(request, match["format"], links, "Api Root", self._root)
        if match := _LIST.fullmatch(path):
            kind = _KINDS[match["kind"]]

            def page(links: Links) -> EmbeddedAnswer:
                return site_page(500) if database_down else self._list(request, kind, links)

            return self._api(request, match["format"], links, f"{_MODELS[kind]} List", page)
        if match := _DETAIL.fullmatch(path):
            kind, key = _KINDS[match["kind"]], match["key"]

            def detail(links: Links) -> EmbeddedAnswer:
                return site_page(500) if database_down else self._detail(kind, key, links)

            return self._api(request, match["format"], links, f"{_MODELS[kind]} Instance", detail)
        if match := _SEARCH.fullmatch(path):
            if match["format"]:
                return site_page(500)  # The view takes no format suffix (contract, section 1).

            def found(_: Links) -> EmbeddedAnswer:
                return self._search(request, database_down)

            return self._api(request, None, links, "Search V3 List", found)
        if not path.endswith("/") and any(
            route.fullmatch(f"{path}/") for route in (_ROOT, _LIST, _DETAIL, _SEARCH)
        ):
            return http_responses.redirect(f"{quote(path)}/{'?' if request.query else ''}{request.query}")
        return site_page(404)

    def _api(
        self,
        request: EmbeddedRequest,
        suffix: str | None,
        links: Links,
        name: str,
        get: Callable[[Links], EmbeddedAnswer],
    ) -> EmbeddedAnswer:
        """Return the answer of an endpoint, after what all endpoints share: negotiation, authentication and the
        methods."""
        arguments = parse_qs(request.query, keep_blank_values=True)
        in_query = arguments["format"][-1] if "format" in arguments else None
        try:
            negotiated = negotiate(request.headers.get("accept"), suffix or in_query)
        except UnknownFormat:
            return json_error(404, "Not found.", http_responses.VARY_EARLY)
        except NotAcceptable:
            return json_error(406, "Could not satisfy the request Accept header.", http_responses.VARY_EARLY)
        # `?format=` is carried into every hyperlink, and so is a suffix (contract, section 2).
        ending = (f".{suffix}" if suffix else "/") + (
            f"?{urlencode({'format': in_query})}" if in_query is not None else ""
        )
        answer = self._dispatch(request, name, get, Links(links.base, ending.encode()))
        if answer.content_type == http_responses.JSON:
            if negotiated.form == "api":
                answer = http_responses.browsable(answer)
            elif negotiated.indent:
                answer.body = indented(answer.body, negotiated.indent)
        if "sessionid=" in request.headers.get("cookie", ""):
            answer.headers.append(http_responses.SESSION_DELETED)
        return answer

    def _dispatch(
        self, request: EmbeddedRequest, name: str, get: Callable[[Links], EmbeddedAnswer], links: Links
    ) -> EmbeddedAnswer:
        # There are no users, so every password is wrong.
        if request.headers.get("authorization", "").lower().partition(" ")[0] == "basic":
            return json_error(403, "Invalid username/password.")
        if request.method in ("GET", "HEAD"):
            return get(links)
        if request.method == "OPTIONS":
            return _options(name)
        return json_error(405, f'Method "{request.method}" not allowed.')

    def _root(self, links: Links) -> EmbeddedAnswer:
        names = ("packages", "search", "grids", "categories")
        return json_answer(200, compact({name: links.to(name) for name in names}))

    def _list(self, request: EmbeddedRequest, kind: Kind, links: Links) -> EmbeddedAnswer:
        count = len(self.catalog.rows(kind))
        try:
            page = page_of(f"{links.base.decode('latin-1')}{quote(request.path)}", request.query, count)
        except LimitOverflow:
            return site_page(500)
        rows = self.catalog.newest(kind, page.offset, page.limit)
        if page.limit >= count:
            # The whole list had another order of ties than pages and details (contract, section 2).
            turned = self.catalog.with_ties_turned
            rows = [turned(row) if isinstance(row, GridRow) else row for row in rows]
        template = self._templates.page(kind, rows, count, page.next(), page.previous())
        answer = json_answer(200, links.fill(template))
        answer.kind, answer.ids, answer.is_list = kind, [row.id for row in rows], True
        return answer

    def _detail(self, kind: Kind, key: str, links: Links) -> EmbeddedAnswer:
        if kind != "categories" and "\x00" in key:
            return site_page(500)
        try:
            row_id = self._looked_up(kind, key)
        except ValueError:
            return json_error(404, "Not found.")
        row = self.catalog.rows(kind).get(row_id) if row_id is not None else None
        if row is None:
            return json_error(404, f"No {_MODELS[kind]} matches the given query.")
        answer = json_answer(200, links.fill(self._templates.of(kind, row)))
        answer.kind, answer.ids = kind, [row.id]
        return answer

    def _looked_up(self, kind: Kind, key: str) -> int | None:
        """Return the id that a lookup means. Digits are an id, whatever slugs exist, and a category is always an id
        (contract, section 1)."""
        if kind == "categories" or key.isdigit():
            return int(key)
        return self.catalog.id_of_slug(kind, key)

    def _search(self, request: EmbeddedRequest, database_down: bool) -> EmbeddedAnswer:
        arguments = parse_qs(request.query, keep_blank_values=True)
        query = arguments.get("q", [""])[-1].strip()
        if not query:
            return json_answer(200, b"[]")
        if "\x00" in query or database_down:
            return site_page(500)
        if self._index is None or self._index.built_for != (self.catalog, self.catalog.index_version):
            self._index = EmbeddedSearch(self.catalog)
        return json_answer(200, compact(self._index.find(query, self._templates.days)))


def _options(name: str) -> EmbeddedAnswer:
    # The texts of grids and categories were not measured; they follow those of packages.
    if name == "Search V3 List":
        description = "Accepts a 'q' GET parameter.\n\nReturns SearchV3 (PostgreSQL FTS) results."
    elif name == "Api Root":
        description = "The default basic root view for DefaultRouter"
    else:
        plural = {"Package": "packages", "Grid": "grids", "Category": "categories"}[name.partition(" ")[0]]
        description = f"API endpoint that allows {plural} to be viewed or edited."
    return json_answer(
        200,
        compact(
            {
                "name": name,
                "description": description,
                "renders": ["application/json", "text/html"],
                "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
            }
        ),
    )
