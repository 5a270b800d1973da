"""Tests the documents at /docs/: pages for browsers whose links work, and their text for everybody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag

import httpx
import pytest
import pytest_asyncio

from tests.support.gateway_in_process import app_over, client_of
from tests.support.generated_upstreams import generated_upstream
from web.pages.page_frame import POLICY

ROOT = Path(__file__).parents[3]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DOCUMENTS = [path.name for path in sorted((ROOT / "docs").glob("*.md"))]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that the tests share: none of them changes what is served."""
    async with client_of(app_over(generated_upstream(20))) as client:
        yield client


async def page(http: httpx.AsyncClient, address: str) -> str:
    response = await http.get(address, headers=BROWSER)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), (
        address
    )
    assert response.headers["Content-Security-Policy"] == POLICY
    return response.text


def links(html: str) -> Iterator[str]:
    return (unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', html))


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_is_a_page_with_its_contents(http: httpx.AsyncClient, name: str) -> None:
    text = (ROOT / "docs" / name).read_text()
    html = await page(http, f"/docs/{name}")
    title = text.partition("\n")[0].removeprefix("# ")
    assert re.search(rf'<h1 id="[^"]+">{re.escape(title)}</h1>', html)
    headings = re.findall(r"<h2 id=\"([^\"]+)\">", html)
    assert len(headings) == len(
        re.findall(r"^## ", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    )
    assert all(f'<a href="#{anchor}">' in html for anchor in headings)


async def test_every_link_between_pages_and_into_them_works(http: httpx.AsyncClient) -> None:
    """Follow the links from the list of the documents to wherever they lead at this gateway."""
    waiting, seen, anchors = ["/docs/"], dict[str, str](), list[tuple[str, str, str]]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        if not address.startswith("/docs/"):
            response = await http.get(address, headers=BROWSER)
            assert response.status_code in (200, 307), address
            seen[address] = ""
            continue
        seen[address] = await page(http, address)
        for link in links(seen[address]):
            target, anchor = urldefrag(link)
            target = target or address
            if target.startswith("/") and not target.startswith("/explore"):
                waiting.append(target)
                anchors += [(address, target, anchor)] if anchor else []
            else:
                assert target.startswith(("https://", "http://127.0.0.1:", "/explore")), (address, link)
    assert [
        each for each in anchors if each[1].endswith(".md") and f'id="{each[2]}"' not in seen[each[1]]
    ] == []
    assert {f"/docs/{name}" for name in DOCUMENTS} | {
        "/docs/README.md",
        "/docs/upstream/CONTRACT.md",
    } <= seen.keys()


async def test_a_page_has_neither_script_nor_style_of_its_own(http: httpx.AsyncClient) -> None:
    for name in DOCUMENTS:
        html = await page(http, f"/docs/{name}")
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", html) == []


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/plain"),
        ("text/markdown", "text/markdown"),
        ("text/markdown, text/html;q=0.5", "text/markdown"),
    ],
)
@pytest.mark.parametrize("name", ["http.md", "README.md", "upstream/CONTRACT.md"])
async def test_programs_get_the_text(
    http: httpx.AsyncClient, name: str, accept: str, media_type: str
) -> None:
    response = await http.get(f"/docs/{name}", headers={"Accept": accept})
    path = ROOT / name if (ROOT / name).is_file() else ROOT / "docs" / name
    assert response.text == path.read_text()
    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"
    assert "Accept" in response.headers["Vary"]


async def test_the_list_of_the_documents_is_one_of_them(http: httpx.AsyncClient) -> None:
    text = (await http.get("/docs/")).text
    assert all(f"]({name})" in text for name in DOCUMENTS)
    assert set(links(await page(http, "/docs/"))) >= {f"/docs/{name}" for name in DOCUMENTS}


@pytest.mark.parametrize(
    "name",
    [
        "nothing.md",
        "docs/http.md",
        "..%2fREADME.md",
        "%2e%2e",
        "graph",
        "settings.py",
        ".git/config",
        "%2fetc%2fpasswd",
        "upstream/embedded/..%2f..%2fsettings.py",
        "wiring.py",
    ],
)
@pytest.mark.parametrize("headers", [BROWSER, {}])
async def test_no_other_file_is_served(http: httpx.AsyncClient, name: str, headers: dict[str, str]) -> None:
    response = await http.get(f"/docs/{name}", headers=headers)
    assert response.status_code == 404
    assert response.json()["errors"][0]["message"].startswith("There is nothing at /docs/")
