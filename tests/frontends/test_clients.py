"""Tests the examples of other clients: each prints the packages of a grid, page by page, as the gateway has them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.gateway_processes import ROOT, sync
from tests.support.http_servers import serving
from tests.support.required_programs import alone_in, need, npm_install
from tests.support.settings_for_tests import settings_for_tests
from upstream.embedded import EmbeddedUpstream
from wiring import make_app

FRONTENDS = ROOT / "examples" / "frontends"
BIGGEST = """{ grids(orderBy: PACKAGE_COUNT_DESC, first: 1) { nodes { slug packageCount
    packagesConnection(orderBy: STARS_DESC, first: 100) { nodes { title repoWatchers pypiVersion } } } } }"""


@dataclass
class Recorded:
    """An app, with the method and the query of each request to it."""

    app: ASGIApp
    requests: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.requests.append((scope["method"], parse_qs(scope["query_string"].decode())))
        await self.app(scope, receive, send)


@dataclass
class Served:
    """A gateway with a catalog, and its biggest grid as the examples should print it."""

    url: str
    app: Recorded
    slug: str
    lines: list[str]

    def run(self, example: str, slug: str) -> subprocess.CompletedProcess[str]:
        command = [*prepared(example), self.url, slug]
        self.app.requests.clear()
        folder = FRONTENDS / example
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    storage = tmp_path_factory.mktemp("clients") / "catalog.sqlite"
    with serving(EmbeddedUpstream(packages=300)) as embedded:
        upstream = f"{embedded}/api/v4/"
        sync(upstream, storage)

        app = Recorded(make_app(settings_for_tests(upstream=upstream, storage=str(storage))))
        with serving(app) as address:
            url = f"{address}/graphql"
            (grid,) = httpx.post(url, json={"query": BIGGEST}, timeout=60).json()["data"]["grids"]["nodes"]
            assert 20 < grid["packageCount"] <= 30, "it has three pages of ten"
            lines = [
                f"{each['title']}: {each['repoWatchers']} stars, release {each['pypiVersion'] or 'none'}"
                for each in grid["packagesConnection"]["nodes"]
            ]
            yield Served(url, app, grid["slug"], lines)


@cache
def prepared(example: str) -> list[str]:
    """Return the command that an example is, once it is installed, compiled and generated."""
    return PREPARED[example](FRONTENDS / example)


def _fetch(folder: Path) -> list[str]:
    need("node")
    return ["node", "grid.js"]


def _urql(folder: Path) -> list[str]:
    npm_install(folder)
    return ["node", "grid.js"]


def _relay(folder: Path) -> list[str]:
    npm_install(folder)
    with alone_in(folder):
        run(folder, "npm", "run", "--silent", "build")
    return ["node", "build/grid.js"]


def _python(folder: Path) -> list[str]:
    # An environment of its own: ariadne-codegen wants another graphql-core than the gateway has.
    python = folder / ".venv" / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    with alone_in(folder):
        if not python.exists():
            run(folder, uv, "venv", "--quiet", "--python", sys.executable)
        run(folder, uv, "pip", "install", "--quiet", "--python", str(python), "-r", "requirements.txt")
        run(folder, str(python.with_name("ariadne-codegen")))
    return [str(python), "grid.py"]


PREPARED: dict[str, Callable[[Path], list[str]]] = {
    "fetch": _fetch,
    "urql": _urql,
    "relay": _relay,
    "python": _python,
}


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("example", "method"), [("urql", "GET"), ("relay", "POST"), ("python", "POST")])
def test_a_client_prints_the_grid_that_it_reads_in_three_pages(
    gateway: Served, example: str, method: str
) -> None:
    done = gateway.run(example, gateway.slug)
    assert (done.stderr, done.stdout.splitlines()) == ("", gateway.lines)
    assert [requested for requested, _ in gateway.app.requests] == [method] * 3


def test_plain_fetch_sends_the_document_once_and_then_its_hash_alone(gateway: Served) -> None:
    for documents in (1, 0):
        done = gateway.run("fetch", gateway.slug)
        assert (done.stderr, done.stdout.splitlines()) == ("", gateway.lines)
        assert [method for method, _ in gateway.app.requests] == ["GET"] * (3 + documents)
        assert sum("query" in parameters for _, parameters in gateway.app.requests) == documents


@pytest.mark.parametrize("example", PREPARED)
def test_a_client_says_that_there_is_no_such_grid(gateway: Served, example: str) -> None:
    done = gateway.run(example, "no-such-grid")
    assert done.returncode == 1
    assert "There is no grid no-such-grid." in done.stderr
