"""Tests the files of a version over HTTP: immutable, known by their tags, whole or in part (RFC 9110, RFC 9111)."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path
from random import Random

import httpx
import pytest

from catalog.export import EXPORTED_FILES
from tests.support.gateway_in_process import app_over, client_of
from tests.support.numbers_of_examples import share_of
from tests.web.catalog_files.conftest import Crawled
from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream

PLAIN = {"Accept-Encoding": "identity"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("name", EXPORTED_FILES)
async def test_a_file_of_a_version_is_immutable_and_known_by_its_tag(crawled: Crawled, name: str) -> None:
    answer = await crawled.http.get(crawled.path(name), headers=PLAIN)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == EXPORTED_FILES[name].media_type
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 100
    version = crawled.catalog.version[:12]
    # The upstream of this test is none that the gateway knows as its own.
    assert answer.headers["Content-Disposition"] == f'attachment; filename="djangopackages-{version}-{name}"'
    tag = answer.headers["ETag"]
    known = await crawled.http.get(crawled.path(name), headers={**PLAIN, "If-None-Match": f'"other", {tag}'})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    assert known.headers["Cache-Control"] == answer.headers["Cache-Control"]
    assert "Content-Length" not in known.headers
    head = await crawled.http.head(crawled.path(name), headers=PLAIN)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers} == {**answer.headers}


@in_the_loop_of_the_file
async def test_the_newest_version_is_a_redirect_that_is_cached_briefly(shared_crawled: Crawled) -> None:
    answer = await shared_crawled.http.get("/catalog/latest/packages.parquet")
    assert (answer.status_code, answer.headers["Location"]) == (307, shared_crawled.path("packages.parquet"))
    assert answer.headers["Cache-Control"] == "public, max-age=60"


@in_the_loop_of_the_file
async def test_any_part_of_a_file_is_that_part(shared_crawled: Crawled) -> None:
    path, draw = shared_crawled.path("packages.parquet"), Random(5)
    whole = (await shared_crawled.http.get(path, headers=PLAIN)).content
    size = len(whole)
    asked = [("0-0", 0, 1), (f"{size - 1}-", size - 1, size), ("-8", size - 8, size), ("0-", 0, size)]
    asked += [(f"-{size * 2}", 0, size), (f"4-{'9' * 18}", 4, size)]
    for _ in share_of(range(30)):
        first = draw.randrange(size)
        last = draw.randrange(first, size)
        asked.append((f"{first}-{last}", first, last + 1))
    for text, first, end in asked:
        answer = await shared_crawled.http.get(path, headers={"Range": f"bytes={text}"})
        assert answer.status_code == 206, text
        assert answer.content == whole[first:end], text
        assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{size}"
        assert answer.headers["Content-Length"] == str(end - first)


@in_the_loop_of_the_file
@pytest.mark.parametrize("text", ["{size}-", "{size}-{size}", "-0", "999999999999999999-"])
async def test_a_part_behind_the_end_is_refused_with_the_size(shared_crawled: Crawled, text: str) -> None:
    path = shared_crawled.path("packages.parquet")
    size = len((await shared_crawled.http.get(path)).content)
    answer = await shared_crawled.http.get(path, headers={"Range": f"bytes={text.format(size=size)}"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "text", ["bytes=5-2", "bytes=-", "bytes=0-1,4-5", "lines=0-1", "0-1", f"bytes={'9' * 400}-"]
)
async def test_a_range_that_means_no_single_part_gets_the_whole(shared_crawled: Crawled, text: str) -> None:
    path = shared_crawled.path("grids.parquet")
    whole = (await shared_crawled.http.get(path, headers=PLAIN)).content
    answer = await shared_crawled.http.get(path, headers={"Range": text})
    assert (answer.status_code, answer.content) == (200, whole)


@in_the_loop_of_the_file
async def test_a_download_goes_on_only_where_the_file_is_the_same(shared_crawled: Crawled) -> None:
    path = shared_crawled.path("packages.ndjson.zst")
    answer = await shared_crawled.http.get(path)
    whole, tag = answer.content, answer.headers["ETag"]
    rest = await shared_crawled.http.get(path, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, whole[100:])
    for other in ('"other"', f"W/{tag}", "Sat, 28 Nov 2026 12:00:00 GMT"):
        again = await shared_crawled.http.get(path, headers={"Range": "bytes=100-", "If-Range": other})
        assert (again.status_code, again.content) == (200, whole)


async def test_the_sqlite_file_is_compressed_for_those_who_take_that_and_want_all_of_it(
    crawled: Crawled,
) -> None:
    path = crawled.path("catalog.sqlite")
    plain = await crawled.http.get(path, headers=PLAIN)
    packed = await crawled.http.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["Vary"] == plain.headers["Vary"]
    assert packed.headers["Vary"].startswith("Accept-Encoding")
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
    (kept,) = (crawled.folder / crawled.catalog.version).glob("*-catalog.sqlite.gz.*")
    assert gzip.decompress(kept.read_bytes()) == plain.content
    part = await crawled.http.get(path, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-15"})
    assert (part.status_code, part.content) == (206, b"SQLite format 3\0")
    assert "Content-Encoding" not in part.headers
    resumed = {"Accept-Encoding": "gzip", "Range": "bytes=100-", "If-Range": packed.headers["ETag"]}
    assert (await crawled.http.get(path, headers=resumed)).content == plain.content


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/catalog/latest/packages.csv", 'There is no file "packages.csv"'),
        ("/catalog/latest/..%2f..%2fsettings.py", "There is nothing at"),
        ("/catalog/0123456789abcdef/packages.parquet", "a version has 32 hexadecimal digits"),
        (f"/catalog/{'a' * 32}/packages.parquet", "There is no version"),
        (f"/catalog/{'a' * 32}/*", 'There is no file "*"'),
    ],
)
async def test_what_there_is_not_gets_a_sentence(crawled: Crawled, path: str, words: str) -> None:
    answer = await crawled.http.get(path)
    assert answer.status_code == 404
    assert words in answer.json()["errors"][0]["message"]
    assert not crawled.folder.exists()


@in_the_loop_of_the_file
async def test_only_reading_is_allowed(shared_crawled: Crawled) -> None:
    assert (await shared_crawled.http.delete(shared_crawled.path("packages.parquet"))).status_code == 405


@in_the_loop_of_the_file
async def test_pages_of_other_origins_may_read_parts(shared_crawled: Crawled) -> None:
    headers = {"Origin": "https://notebook.test", "Range": "bytes=0-3"}
    answer = await shared_crawled.http.get(shared_crawled.path("packages.parquet"), headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Content-Range", "ETag", "Accept-Ranges"} <= set(exposed)


async def test_the_list_has_the_versions_and_the_files(crawled: Crawled) -> None:
    answer = await crawled.http.get("/catalog")
    listed = answer.json()
    assert listed["latest"] == crawled.catalog.version
    assert {each["name"] for each in listed["files"]} == set(EXPORTED_FILES)
    (version,) = listed["versions"]
    assert version["version"] == crawled.catalog.version
    assert version["records"]["package"] == len(crawled.catalog.packages)
    assert "Django Packages" in listed["source"]
    assert listed["next"] is None
    for each in listed["files"]:
        followed = await crawled.http.get(each["latest"], follow_redirects=True)
        assert followed.status_code == 200
    page = await crawled.http.get("/catalog", headers=BROWSER)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert crawled.catalog.version in page.text
    assert 'href="/catalog/latest/packages.parquet"' in page.text
    assert (await crawled.http.get("/catalog?before=x")).status_code == 400


async def test_embedded_data_say_that_they_are_demo_data(embedded: EmbeddedUpstream, tmp_path: Path) -> None:
    app = app_over(embedded, upstream="embedded", files=str(tmp_path))
    async with client_of(app) as http:
        await app.parts.source.crawl()
        listed = (await http.get("/catalog")).json()
        assert listed["origin"] == "demo"
        assert "Demo data" in listed["source"]
        assert "Demo data" in (await http.get("/catalog", headers=BROWSER)).text
        for name in EXPORTED_FILES:
            answer = await http.get(f"/catalog/latest/{name}", follow_redirects=True)
            assert answer.headers["Content-Disposition"].startswith('attachment; filename="demo-')
        columns = (await http.get("/catalog/latest/columns.json", follow_redirects=True)).json()
        assert (columns["origin"], "Demo data" in columns["source"]) == ("demo", True)
        body = (await http.get("/catalog/latest/catalog.sqlite", follow_redirects=True)).content
        (tmp_path / "read.sqlite").write_bytes(body)
        with sqlite3.connect(tmp_path / "read.sqlite") as read:
            about = dict(read.execute("SELECT name, value FROM about"))
        read.close()
        assert (about["origin"], "Demo data" in about["source"]) == ("demo", True)


@pytest.mark.parametrize("files", ["on", "off"])
async def test_pages_link_to_the_files_only_where_they_are(
    embedded: EmbeddedUpstream, tmp_path: Path, files: str
) -> None:
    folder = str(tmp_path) if files == "on" else "off"
    async with client_of(app_over(embedded, files=folder)) as http:
        assert ("/catalog" in (await http.get("/")).json()["links"]) == (files == "on")
        for path in ("/", "/docs/"):
            assert ('href="/catalog"' in (await http.get(path, headers=BROWSER)).text) == (files == "on")


async def test_no_files_are_served_where_that_is_off(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded, files="off")) as http:
        for path in ("/catalog", "/catalog/latest/packages.parquet"):
            answer: httpx.Response = await http.get(path)
            assert answer.status_code == 404
