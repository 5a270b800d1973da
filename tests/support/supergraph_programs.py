"""Provides what the tests of the example supergraph stand on: its programs, and services that count what they are
asked."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.support.http_servers import serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "supergraph"
QUERIES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((EXAMPLE / "queries").iterdir())}


@dataclass
class Service:
    """A service behind a counter: ``url`` is the counter's, and ``asked`` has each operation that came."""

    behind: str
    """The address of the service itself."""
    url: str = ""
    asked: list[str] = field(default_factory=list)
    secrets: set[str | None] = field(default_factory=set)
    """What the operations had in the header that routers show."""
    fails: bool = False
    """Whether it answers each operation with the status 503 instead."""
    _stop: ExitStack = field(default_factory=ExitStack)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note it. As an ASGI app it has no lifespan."""
        assert scope["type"] == "http"
        request = Request(scope, receive)
        body = await request.body()
        if body:
            self.asked.append(json.loads(body)["query"])
            self.secrets.add(request.headers.get("Router-Authorization"))
        if self.fails:
            await Response(status_code=503)(scope, receive, send)
            return
        passed = ("Content-Type", "Accept", "Router-Authorization")
        headers = {name: request.headers[name] for name in passed if name in request.headers}
        # Certificates take longer to load than the answers.
        async with httpx.AsyncClient(verify=False, timeout=60) as client:
            onward = httpx.URL(self.behind).join(
                httpx.URL(request.url.path, query=request.url.query.encode())
            )
            answer = await client.request(request.method, onward, content=body, headers=headers)
        content_type = answer.headers["Content-Type"]
        await Response(answer.content, answer.status_code, {"Content-Type": content_type})(
            scope, receive, send
        )

    def start(self) -> None:
        """Listen, again at the same address."""
        port = httpx.URL(self.url).port or 0
        self._stop = ExitStack()
        self.url = f"{self._stop.enter_context(serving(self, port))}/graphql"

    def stop(self) -> None:
        """Listen no more: whoever connects is refused."""
        self._stop.close()

    @contextmanager
    def replaced(self, other: str) -> Iterator[None]:
        """Let another service at this address answer in its place."""
        behind, self.behind = self.behind, other
        try:
            yield
        finally:
            self.behind = behind

    @property
    def entity_requests(self) -> int:
        """Return how many of the operations look records up for a router: by ``_entities``, or in bulk for
        stitching."""
        return sum("_entities" in query or "packagesBy" in query for query in self.asked)

    def ask(self, query: str, **variables: object) -> Any:
        """Return the data of an answer without errors, from the service itself."""
        return data(self.behind, query, **variables)


@contextmanager
def counted(behind: str) -> Iterator[Service]:
    """Return a service with a counter in front."""
    service = Service(behind)
    service.start()
    try:
        yield service
    finally:
        service.stop()


@dataclass
class Program:
    """A server of the example."""

    address: str
    printed: list[str] = field(default_factory=list)
    """The lines that it printed after its address, once it has ended."""


@contextmanager
def program(name: str, **environment: str) -> Iterator[Program]:
    """Run a server of the example on a free port; its address is the first line that it prints."""
    process = subprocess.Popen(
        ["node", name],
        cwd=EXAMPLE,
        env=os.environ | {"PORT": "0", "NODE_ENV": "production"} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    started = Program(process.stdout.readline().strip())
    try:
        assert started.address.startswith("http"), f"{name} did not start"
        yield started
    finally:
        process.terminate()
        printed, _ = process.communicate(timeout=60)
        started.printed += printed.splitlines()


def compose(**urls: str) -> subprocess.CompletedProcess[str]:
    """Run the example's composition of the services at these addresses."""
    return subprocess.run(
        ["node", "compose.js"],
        cwd=EXAMPLE,
        env=os.environ | urls,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answer(url: str, query: str, **variables: object) -> dict[str, Any]:
    """Return the whole answer to an operation."""
    request = {"query": query, "variables": variables}
    response = httpx.post(url, json=request, timeout=30, verify=False)
    body: dict[str, Any] = response.json()
    return body


def data(url: str, query: str, **variables: object) -> Any:
    """Return the data of an answer without errors."""
    body = answer(url, query, **variables)
    assert "errors" not in body, body
    return body["data"]
