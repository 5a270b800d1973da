"""Makes the answers of the embedded upstream: status, headers and body, as measured (contract, sections 5 and 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from time import time

from .row_json import compact
from .row_types import Kind

Header = tuple[bytes, bytes]

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"

VARY_EARLY = (b"vary", b"Accept")
"""The headers of errors that come before authentication."""
VARY_API = (b"vary", b"Accept, Cookie")
VARY_SITE = (b"vary", b"Cookie")

ALLOW = (b"allow", b"GET, HEAD, OPTIONS")
FRAMES = (b"x-frame-options", b"DENY")
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=60; includeSubDomains")
SESSION_DELETED = (
    b"set-cookie",
    b'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax',
)

_YEAR = 31_449_600


@dataclass
class EmbeddedAnswer:
    """Holds one answer, and which rows it shows, so that faults can find them."""

    status: int
    headers: list[Header]
    body: bytes
    kind: Kind | None = None
    ids: Sequence[int] = ()
    is_list: bool = False
    chunked: bool = False
    """True where the real server sends no Content-Length."""

    @property
    def content_type(self) -> bytes:
        """Return the type that the answer claims to have."""
        return next((value for name, value in self.headers if name == b"content-type"), b"")

    def replace_header(self, name: bytes, value: bytes) -> None:
        """Set a header that may be there already."""
        self.headers = [*(header for header in self.headers if header[0] != name), (name, value)]

    def wire_headers(self) -> list[Header]:
        """Return all headers, with the length of the body unless the answer is chunked."""
        if self.chunked:
            return self.headers
        return [*self.headers, (b"content-length", b"%d" % len(self.body))]


def json_answer(status: int, body: bytes, vary: Header = VARY_API) -> EmbeddedAnswer:
    """Return an answer of the API itself."""
    return EmbeddedAnswer(status, [(b"content-type", JSON), vary, ALLOW, FRAMES, *SECURITY], body)


def json_error(status: int, detail: str, vary: Header = VARY_API) -> EmbeddedAnswer:
    """Return an error of the API: `{"detail": ...}`."""
    return json_answer(status, compact({"detail": detail}), vary)


def browsable(answer: EmbeddedAnswer) -> EmbeddedAnswer:
    """Return the same answer as the browsable page that browsers get."""
    body = _page(answer.status, "a browsable page of the API")
    headers = [(b"content-type", HTML), VARY_API, ALLOW, FRAMES, *SECURITY, _csrf_cookie()]
    return EmbeddedAnswer(answer.status, headers, body, answer.kind, answer.ids, answer.is_list)


def site_page(status: int) -> EmbeddedAnswer:
    """Return a page of the site: what answers a wrong route, a crash and maintenance, whatever Accept says."""
    body = _page(status, "a page of the site")
    headers = [(b"content-type", HTML), VARY_SITE, FRAMES, *SECURITY, _csrf_cookie()]
    return EmbeddedAnswer(status, headers, body)


def maintenance_page() -> EmbeddedAnswer:
    """Return the 503 of maintenance mode."""
    answer = site_page(503)
    answer.headers += [
        (b"retry-after", b"3600"),
        (b"expires", formatdate(usegmt=True).encode()),
        (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
    ]
    return answer


def redirect(location: str) -> EmbeddedAnswer:
    """Return the 301 to the same path with a slash: relative, and without a frame option."""
    headers = [(b"content-type", HTML), (b"location", location.encode("latin-1")), VARY_SITE, *SECURITY]
    return EmbeddedAnswer(301, headers, b"")


def bad_host() -> EmbeddedAnswer:
    """Return the bare 500 of an invalid Host header; the only chunked answer."""
    body = (
        b"<html><body><p>If this seems like a bug, would you please do us a favor and "
        b'<a href="https://github.com/djangopackages/djangopackages/issues">create a ticket?</a>'
        b"</p></body></html>"
    )
    return EmbeddedAnswer(500, [(b"content-type", HTML), *SECURITY], body, chunked=True)


def line_too_long(length: int, limit: int) -> EmbeddedAnswer:
    """Return the 400 of the HTTP server itself, which then closes the connection."""
    body = (
        "<html>\n  <head>\n    <title>Bad Request</title>\n  </head>\n"
        "  <body>\n    <h1><p>Bad Request</p></h1>\n"
        f"    Request Line is too large ({length} &gt; {limit})\n  </body>\n</html>\n"
    )
    return EmbeddedAnswer(400, [(b"content-type", b"text/html"), (b"connection", b"close")], body.encode())


def _page(status: int, what: str) -> bytes:
    return (
        f"<!doctype html><html><head><title>{status}</title></head>"
        f"<body><!-- The embedded upstream: stands for {what}. --><h1>{status}</h1></body></html>\n"
    ).encode()


def _csrf_cookie() -> Header:
    expires = formatdate(time() + _YEAR, usegmt=True)
    token = "EmbeddedUpstreamHasNoForms000000"
    cookie = f"csrftoken={token}; expires={expires}; Max-Age={_YEAR}; Path=/; SameSite=Lax"
    return (b"set-cookie", cookie.encode())
