"""The page that a browser gets at the endpoint, its policy, and the files that it loads."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from web.pages.graphiql import CANONICAL, graphiql_response
from web.pages.static_files import BuiltFiles

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def page(built: Path) -> str:
    return bytes(graphiql_response(built).body).decode()


def policy(built: Path) -> dict[str, list[str]]:
    """Return the directives of the page's Content-Security-Policy."""
    text = graphiql_response(built).headers["Content-Security-Policy"]
    return {name: sources for name, *sources in (directive.split() for directive in text.split("; "))}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a folder that has what a build makes, at least as far as the gateway looks."""
    (tmp_path / "page.js").write_text("show()")
    return tmp_path


@pytest.fixture
def unbuilt(tmp_path: Path) -> Path:
    return tmp_path / "nothing"


@pytest.mark.parametrize("address", ["/graphql", "/graphiql"])
async def test_a_browser_gets_graphiql(http: httpx.AsyncClient, address: str) -> None:
    response = await http.get(address, headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Accept" in response.headers["Vary"].split(", ")
    assert '<div id="graphiql">' in response.text


async def test_the_tabs_are_the_examples_and_the_canonical_query_is_the_first(
    http: httpx.AsyncClient,
) -> None:
    response = await http.get("/graphiql/tabs.json")
    assert response.headers["Content-Type"] == "application/json"
    queries = [tab["query"] for tab in response.json()]
    assert queries[0] == CANONICAL.read_text()
    assert sorted(queries) == sorted(path.read_text() for path in CANONICAL.parent.glob("*.graphql"))


def test_the_built_page_names_no_other_host_and_has_no_script_in_line(built: Path) -> None:
    assert "//" not in page(built).replace("<!doctype", "")
    assert re.findall(r"<script(?![^>]* src=)", page(built)) == []
    assert policy(built) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "worker-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def test_without_a_build_every_foreign_file_has_a_version_a_hash_and_a_place_in_the_policy(
    unbuilt: Path,
) -> None:
    html = page(unbuilt)
    assert re.findall(r"<script(?![^>]* src=)", html) == []
    foreign = re.findall(r'<(?:script|link) [^>]*"(https:[^"]+)"\s+integrity="sha384-[\w+/]{64}">', html)
    assert len(foreign) == 6 == html.count("https:")
    assert all(re.search(r"@\d+\.\d+\.\d+/", address) for address in foreign)
    allowed = policy(unbuilt)
    assert sorted(foreign) == sorted(
        source for sources in allowed.values() for source in sources if source.startswith("https:")
    )
    assert allowed["connect-src"] == ["'self'"]


@pytest.fixture
def files(tmp_path: Path) -> httpx.AsyncClient:
    """Return a client of the files of a folder, of which some are there compressed too."""
    (tmp_path / "page.js").write_text("plain")
    (tmp_path / "page.js.gz").write_bytes(gzip.compress(b"compressed"))
    (tmp_path / "chunk-4L5RI3VG.js").write_text("chunk")
    app = Starlette(
        routes=[Mount("/built", BuiltFiles(tmp_path)), Mount("/none", BuiltFiles(tmp_path / "x"))]
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test")


async def test_a_compressed_file_is_for_those_who_take_it(files: httpx.AsyncClient) -> None:
    for taken in ("gzip", "br, GZIP;q=0.5"):
        response = await files.get("/built/page.js", headers={"Accept-Encoding": taken})
        assert response.text == "compressed"
        assert response.headers["Content-Encoding"] == "gzip"
    for refused in ("identity", "br", "gzip;q=0", "gzip; q=0.0, br"):
        response = await files.get("/built/page.js", headers={"Accept-Encoding": refused})
        assert response.text == "plain"
        assert "Content-Encoding" not in response.headers


async def test_compressed_or_not_its_type_is_its_own_and_caches_keep_both(files: httpx.AsyncClient) -> None:
    for encoding in ("gzip", "identity"):
        response = await files.get("/built/page.js", headers={"Accept-Encoding": encoding})
        assert response.headers["Content-Type"].startswith("text/javascript")
        assert response.headers["Vary"] == "Accept-Encoding"


async def test_a_file_named_by_its_content_is_kept_and_another_asked_for_anew(
    files: httpx.AsyncClient,
) -> None:
    chunk = await files.get("/built/chunk-4L5RI3VG.js")
    assert chunk.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    page = await files.get("/built/page.js")
    assert page.headers["Cache-Control"] == "no-cache"
    again = await files.get("/built/page.js", headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/built/other.js", "/built/", "/none/page.js", "/built/..%2fconftest.py"])
async def test_what_is_not_there_is_a_404(files: httpx.AsyncClient, path: str) -> None:
    assert (await files.get(path)).status_code == 404


async def test_what_is_not_there_is_a_404_with_a_sentence(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphiql/nothing.js")
    assert response.status_code == 404
    assert response.json()["errors"][0]["message"].startswith("There is nothing at /graphiql/nothing.js")
