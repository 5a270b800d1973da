"""Tests the page that a browser gets at the endpoint: its policy, its tabs, and the scripts that take its place."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.web.conftest import in_the_loop_of_the_file
from web.pages.graphiql import CANONICAL, GraphiQLPage
from web.pages.page_frame import Site
from web.pages.query_form import Asked

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
CDN_SCRIPT = Path(__file__).parents[3] / "web" / "pages" / "graphiql" / "src" / "cdn.js"


def page(built: Path) -> GraphiQLPage:
    return GraphiQLPage(
        asked=Asked("{ categories { title } }"),
        answer=None,
        site=Site(demo=False, only_trusted=False),
        built=built,
    )


def policy(built: Path) -> dict[str, list[str]]:
    """Return the directives of the page's Content-Security-Policy."""
    text = page(built).headers()["Content-Security-Policy"]
    return {name: sources for name, *sources in (directive.split() for directive in text.split("; "))}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a folder that has what a build makes, at least as far as the gateway looks."""
    (tmp_path / "page.js").write_text("show()")
    return tmp_path


@pytest.fixture
def unbuilt(tmp_path: Path) -> Path:
    return tmp_path / "nothing"


@in_the_loop_of_the_file
@pytest.mark.parametrize("address", ["/graphql", "/graphql/", "/graphiql"])
async def test_a_browser_gets_graphiql(live_http: httpx.AsyncClient, address: str) -> None:
    response = await live_http.get(address, headers=BROWSER, follow_redirects=True)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Accept" in response.headers["Vary"].split(", ")
    assert '<div id="graphiql" class="waiting">' in response.text
    assert response.headers["Cache-Control"] == "no-store"


@in_the_loop_of_the_file
async def test_its_own_name_leads_to_the_endpoint_with_the_query(live_http: httpx.AsyncClient) -> None:
    response = await live_http.get("/graphiql?query=%7Bstats%7D", headers=BROWSER)
    assert response.headers["Location"] == "/graphql?query=%7Bstats%7D"


@in_the_loop_of_the_file
async def test_the_tabs_are_the_examples_and_the_canonical_query_is_the_first(
    live_http: httpx.AsyncClient,
) -> None:
    response = await live_http.get("/graphiql/tabs.json")
    assert response.headers["Content-Type"] == "application/json"
    queries = [tab["query"] for tab in response.json()]
    assert queries[0] == CANONICAL.read_text()
    assert sorted(queries) == sorted(path.read_text() for path in CANONICAL.parent.glob("*.graphql"))


def test_the_built_page_names_no_other_host_and_has_no_script_in_line(built: Path) -> None:
    html = page(built).html()
    assert re.findall(r'(?:src|<link[^>]* href)="(?!/\w)', html) == []
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", html) == []
    assert policy(built) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "worker-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }


def test_without_a_build_every_foreign_file_has_a_version_a_hash_and_a_place_in_the_policy(
    unbuilt: Path,
) -> None:
    # The page itself names no other host, so that it is whole without a network.
    assert re.findall(r'(?:src|<link[^>]* href)="(?!/\w)', page(unbuilt).html()) == []
    script = CDN_SCRIPT.read_text()
    foreign = re.findall(r'"(https:[^"]+)",\s+"sha384-[\w+/]{64}"', script)
    assert len(foreign) == 6 == script.count("https:")
    assert all(re.search(r"@\d+\.\d+\.\d+/", address) for address in foreign)
    allowed = policy(unbuilt)
    assert sorted(foreign) == sorted(
        source for sources in allowed.values() for source in sources if source.startswith("https:")
    )
    assert allowed["connect-src"] == ["'self'"]
