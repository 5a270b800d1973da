"""Tests the files that pages load: those of builds, compressed beforehand, and the styles and scripts of all pages."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.web.conftest import in_the_loop_of_the_file
from web.pages.prebuilt_files import PrebuiltFiles


@pytest.fixture
def files(tmp_path: Path) -> httpx.AsyncClient:
    """Return a client of the files of a folder, of which some are there compressed too."""
    (tmp_path / "page.js").write_text("plain")
    (tmp_path / "page.js.gz").write_bytes(gzip.compress(b"compressed"))
    (tmp_path / "chunk-4L5RI3VG.js").write_text("chunk")
    (tmp_path / "both.js").write_text("plain")
    (tmp_path / "both.js.gz").write_bytes(gzip.compress(b"by gzip"))
    (tmp_path / "both.js.br").write_bytes(brotli.compress(b"by brotli"))
    app = Starlette(
        routes=[Mount("/built", PrebuiltFiles(tmp_path)), Mount("/none", PrebuiltFiles(tmp_path / "x"))]
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


@pytest.mark.parametrize(
    ("taken", "text"),
    [("gzip, deflate, br, zstd", "by brotli"), ("gzip", "by gzip"), ("br", "by brotli"), ("zstd", "plain")],
)
async def test_where_both_are_there_the_smaller_one_is_sent(
    files: httpx.AsyncClient, taken: str, text: str
) -> None:
    assert (await files.get("/built/both.js", headers={"Accept-Encoding": taken})).text == text


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


@in_the_loop_of_the_file
async def test_what_is_not_there_is_a_404_with_a_sentence(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get("/graphiql/nothing.js")
    assert response.status_code == 404
    assert response.json()["errors"][0]["message"].startswith("There is nothing at /graphiql/nothing.js")


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("styles/tokens.css", "text/css; charset=utf-8"),
        ("scripts/query_form.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_a_file_of_the_pages_has_its_type_its_encoding_and_its_tag(
    shared_http: httpx.AsyncClient, path: str, media_type: str
) -> None:
    plain = (Path(__file__).parents[3] / "web" / "pages" / path).read_bytes()
    tags = set()
    for encoding in ("br", "gzip", "identity"):
        response = await shared_http.get(f"/pages/{path}", headers={"Accept-Encoding": encoding})
        assert response.content == plain
        assert response.headers["Content-Type"] == media_type
        expected = None if encoding == "identity" else encoding
        assert response.headers.get("Content-Encoding") == expected
        tag = response.headers["ETag"]
        again = await shared_http.get(
            f"/pages/{path}", headers={"Accept-Encoding": encoding, "If-None-Match": tag}
        )
        assert (again.status_code, again.content) == (304, b"")
        tags.add(tag)
    assert len(tags) == 3


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "path", ["home.html", "page_assets.py", "styles/nothing.css", "styles/..%2fhome.html", ""]
)
async def test_nothing_else_of_their_folder_is_served(shared_http: httpx.AsyncClient, path: str) -> None:
    assert (await shared_http.get(f"/pages/{path}")).status_code == 404


def test_styles_name_no_other_host() -> None:
    for path in (Path(__file__).parents[3] / "web" / "pages" / "styles").glob("*.css"):
        assert [
            url for url in re.findall(r'url\("?([^")]+)', path.read_text()) if not url.startswith("/pages/")
        ] == []
