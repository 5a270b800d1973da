"""Tests the built app under /explore: its files, its pages, and what a browser may do with them."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from web.pages.explore_app import Explore
from web.pages.page_frame import POLICY, Site

PAGE, SCRIPT = "<title>the app</title>", "console.log('the app')"


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=[Mount("/explore", Explore(Site(demo=True, only_trusted=False), tmp_path / "dist"))]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client


@pytest.fixture
def built(tmp_path: Path) -> None:
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets / "index-1a2b.js").write_text(SCRIPT)
    (assets / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (assets.parent / "index.html").write_text(PAGE)
    (tmp_path / "secret").write_text("not of the build")


@pytest.mark.parametrize("path", ["/explore/", "/explore/grids/email", "/explore/assets/index-1a2b.js"])
async def test_until_it_is_built_every_path_says_how_to_build_it(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert answer.text == (
        "The app at /explore is not built. `make explore` builds it; it needs npm and Node.js 20.19 or newer.\n"
    )


async def test_until_it_is_built_a_browser_gets_a_page_that_leads_on(http: httpx.AsyncClient) -> None:
    answer = await http.get("/explore/grids/email", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "<code>make explore</code>" in answer.text
    assert {'href="/"', 'href="/graphql"', 'href="/docs/"'} <= set(answer.text.replace(">", " ").split())


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "index.html",
        "grids/email",
        "packages/a.b-c",
        "search?q=mail",
        "%00",
        "x" * 300,
        "..%2fsecret",
    ],
)
async def test_every_path_that_is_no_file_is_a_page_of_the_app(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/explore/{path}")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.usefixtures("built")
async def test_a_page_may_load_things_of_its_own_origin_alone(http: httpx.AsyncClient) -> None:
    headers = (await http.get("/explore/grids/email")).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    )


@pytest.mark.usefixtures("built")
async def test_an_asset_is_kept_for_good_as_its_name_has_its_hash(http: httpx.AsyncClient) -> None:
    answer = await http.get("/explore/assets/index-1a2b.js")
    assert answer.text == SCRIPT
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.usefixtures("built")
async def test_an_asset_of_another_build_is_missing_and_not_the_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/explore/assets/index-0000.js")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.usefixtures("built")
async def test_a_page_that_has_not_changed_is_not_sent_again(http: httpx.AsyncClient) -> None:
    tag = (await http.get("/explore/")).headers["ETag"]
    answer = await http.get("/explore/grids/email", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.usefixtures("built")
async def test_nothing_can_be_sent_to_it(http: httpx.AsyncClient) -> None:
    answer = await http.post("/explore/grids/email")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
