"""Serves the embedded upstream as an ASGI application."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from .control_endpoints import CONTROL_PATH, control_app
from .editable_catalog import EmbeddedCatalog
from .faults import Faults
from .faulty_delivery import Delivery
from .generated_catalog import generated_catalog
from .http_responses import Header, maintenance_page
from .request_log import RequestLog
from .shifted_dates import DAY_ZERO
from .v4_routes import V4, EmbeddedRequest

_Message = dict[str, Any]

_PLAIN_ACCEPTS = (b"application/json", b"*/*")
_SPECIAL_HEADERS = frozenset((b"authorization", b"cookie", b"x-forwarded-proto"))
_MAX_READY = 20_000


class EmbeddedUpstream:
    """Serves the v4 API over a catalog that is generated, or given.

    `latency` seconds pass before each v4 request is answered. With a `capacity`, that many requests are answered at a
    time, while the others wait. Rows are changed through `catalog`, failures are set through `faults`, and `requests`
    has counted everything. A server is steered under `/__control__/`. The dates of generated rows are relative to the
    day that `today` gives.

        upstream = EmbeddedUpstream(packages=50)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=upstream), base_url="http://upstream")
    """

    catalog: EmbeddedCatalog
    faults: Faults
    requests: RequestLog

    def __init__(
        self,
        *,
        packages: int = 5400,
        seed: int = 1,
        latency: float = 0.0,
        capacity: int | None = None,
        catalog: EmbeddedCatalog | None = None,
        today: Callable[[], date] = lambda: DAY_ZERO,
    ) -> None:
        self.catalog = catalog if catalog is not None else generated_catalog(packages, seed)
        self.latency = latency
        self._places = nullcontext() if capacity is None else asyncio.Semaphore(capacity)
        self.faults = Faults()
        self.requests = RequestLog()
        self._today = today
        self._v4 = V4(self.catalog, today)
        self._ready: dict[tuple[bytes, bytes], tuple[_Message, _Message, str]] = {}
        self._ready_version = (self.catalog.version, today())

    @cached_property
    def _control(self) -> ASGIApp:
        # Most of those that run in process are never asked for it.
        return control_app(self.catalog, self.faults, self.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the events of a server's lifespan."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH):
            await self._control(scope, receive, send)
            return
        key = self._plain_request(scope)
        ready = self._ready.get(key) if key is not None else None
        if ready is None:
            await self._serve(scope, receive, send, key)
            return
        start, body, target = ready
        this_round = self.requests.begin("GET", target)
        try:
            await self._wait()
            await send(start)
            await send(body)
        finally:
            self.requests.end(this_round, len(body["body"]))

    def _plain_request(self, scope: Scope) -> tuple[bytes, bytes] | None:
        """Return (host, path) of a request whose answer depends on nothing else, else None.

        A benchmark asks for thousands of details, which are found here without parsing anything.
        """
        if scope["method"] != "GET" or scope["query_string"] or not self.faults.quiet:
            return None
        host = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif (name == b"accept" and value not in _PLAIN_ACCEPTS) or name in _SPECIAL_HEADERS:
                return None
        version = (self.catalog.version, self._today())
        if self._ready_version != version or len(self._ready) > _MAX_READY:
            self._ready.clear()
            self._ready_version = version
        return host, scope.get("raw_path") or quote(scope["path"]).encode()

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, key: tuple[bytes, bytes] | None
    ) -> None:
        request = _request(scope)
        this_round = self.requests.begin(request.method, request.target)
        sent = 0
        try:
            await self._wait()
            # A rule may have come while this request waited. Its effects must not be kept.
            untouched = self.faults.quiet
            delivery = self._delivery(request)
            answer = delivery.answer
            if key is not None and untouched and answer.status == 200 and answer.ids and not answer.is_list:
                headers: list[Header] = answer.wire_headers()
                self._ready[key] = (
                    {"type": "http.response.start", "status": 200, "headers": headers},
                    {"type": "http.response.body", "body": answer.body},
                    request.target,
                )
            sent = await delivery.send(receive, send, with_body=request.method != "HEAD")
        finally:
            self.requests.end(this_round, sent)

    async def _wait(self) -> None:
        if self.latency:
            async with self._places:
                await asyncio.sleep(self.latency)

    def _delivery(self, request: EmbeddedRequest) -> Delivery:
        faults = self.faults
        answer = self._v4.answer(request, database_down=faults.state == "database-down")
        if faults.state == "down":
            return Delivery(answer, dropped=True)
        if faults.state == "maintenance":
            return Delivery(maintenance_page())
        delivery = Delivery(answer)
        for effect in faults.effects(request.target, answer.kind, answer.ids, answer.is_list):
            delivery.apply(effect, self.catalog)
            if delivery.has_failed:
                break
        return delivery


def _request(scope: Scope) -> EmbeddedRequest:
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return EmbeddedRequest(
        method=scope["method"],
        path=scope["path"],
        target=f"{path}?{query}" if query else path,
        query=query,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )
