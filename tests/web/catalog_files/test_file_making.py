"""Tests how files are made: once for all who want one, within the size of the folder, and never in part."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalog.export import EXPORTED_FILES
from catalog.export.export_folder import FileFolder
from catalog.export.on_demand_export import MAX_WAITING
from catalog.sync.rebuild_rate_limit import AT_ONCE, PAUSE
from tests.support.gateway_in_process import app_over, client_of
from tests.support.gateways_with_files import Filed, gateway_with_files
from tests.web.catalog_files.conftest import Crawled
from upstream.embedded import EmbeddedUpstream


def made(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return which files were made, by name, in their order."""
    messages = (record.getMessage() for record in caplog.records)
    return [message.split()[2] for message in messages if message.startswith("The file ")]


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


async def test_many_who_want_one_file_at_once_get_one_that_is_made_once(
    crawled: Crawled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "catalog.export")
    path = crawled.path("packages.parquet")
    answers = await asyncio.gather(*(crawled.http.get(path) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert (
        len({answer.content for answer in answers})
        == len({answer.headers["ETag"] for answer in answers})
        == 1
    )
    await crawled.http.get(path)
    assert made(caplog) == ["packages.parquet"]
    assert len(files_in(crawled.folder)) == 1


async def test_processes_that_share_a_folder_make_a_file_once(
    embedded: EmbeddedUpstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each has a folder object of its own, as each process has."""
    written: list[Path] = []

    def write(path: Path) -> None:
        written.append(path)
        path.write_bytes(b"x" * 1000)

    folders = [FileFolder(tmp_path, 10_000) for _ in range(4)]
    making = [asyncio.to_thread(folder.make, "a" * 32, "packages.parquet", write) for folder in folders]
    opened = await asyncio.gather(*making)
    assert len(written) == 1
    for each in opened:
        assert each.file.read() == b"x" * 1000
        each.close()


async def test_who_leaves_does_not_end_a_file_for_the_others(crawled: Crawled) -> None:
    path = crawled.path("packages.parquet")
    leaving, staying = (asyncio.create_task(crawled.http.get(path)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).status_code == 200
    await asyncio.gather(leaving, return_exceptions=True)


@pytest.fixture
async def filed(tmp_path: Path) -> AsyncIterator[Filed]:
    async with gateway_with_files(tmp_path, versions=30) as filed:
        yield filed


async def test_strangers_cannot_have_more_versions_rebuilt_than_the_allowance(filed: Filed) -> None:
    statuses, begun = [], time.monotonic()
    for catalog in filed.catalogs:
        answer = await filed.http.get(f"/catalog/{catalog.version}/columns.json")
        statuses.append(answer.status_code)
        if answer.status_code != 200:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    allowed = AT_ONCE + (time.monotonic() - begun) / PAUSE
    assert AT_ONCE <= filed.source.older.rebuilds.begun <= allowed
    # The newest needs no rebuild.
    assert statuses[-1] == 200
    assert statuses.count(200) == filed.source.older.rebuilds.begun + 1
    assert filed.embedded.requests.total == 0
    # What was made once costs nothing any more.
    again = await filed.http.get(f"/catalog/{filed.catalogs[0].version}/columns.json")
    assert again.status_code == 200


async def test_more_versions_than_fit_a_page_are_listed_on_the_next(tmp_path: Path) -> None:
    async with gateway_with_files(tmp_path, versions=120) as filed:
        listed, address = list[str](), "/catalog"
        while address:
            page = (await filed.http.get(address)).json()
            listed += [each["version"] for each in page["versions"]]
            address = page["next"]
        assert listed == [catalog.version for catalog in reversed(filed.catalogs)]


async def test_the_folder_stays_within_its_size_and_the_newest_file_stays(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    folder, most = tmp_path / "files", 100_000
    other = folder / "of somebody else" / f"name.{'0' * 32}"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"kept" * 100_000)
    app = app_over(embedded, files=str(folder), files_bytes=most)
    async with client_of(app) as http:
        version = (await app.parts.source.crawl()).snapshot.catalog.version
        for name in (*EXPORTED_FILES, *EXPORTED_FILES):
            answer = await http.get(f"/catalog/{version}/{name}", headers={"Accept-Encoding": "identity"})
            assert answer.status_code == 200
            ours = [path for path in files_in(folder) if path.parent.name == version]
            size = sum(path.stat().st_size for path in ours)
            assert size <= most or len(ours) == 1
            assert any(f"-{name}." in path.name for path in ours)
    assert other.read_bytes() == b"kept" * 100_000


async def test_a_file_that_is_being_sent_is_whole_though_its_room_was_taken(crawled: Crawled) -> None:
    folder = FileFolder(crawled.folder, 0)
    whole = (await crawled.http.get(crawled.path("packages.ndjson.zst"))).content
    opened = folder.open(crawled.catalog.version, "packages.ndjson.zst")
    assert opened is not None
    folder.make("b" * 32, "other", Path.touch).close()
    assert folder.open(crawled.catalog.version, "packages.ndjson.zst") is None
    assert opened.file.read() == whole
    opened.close()


async def test_a_file_that_another_release_has_left_is_made_anew(crawled: Crawled) -> None:
    left = FileFolder(crawled.folder, 10_000_000, "0" * 8)
    left.make(crawled.catalog.version, "columns.json", Path.touch).close()
    answer = await crawled.http.get(crawled.path("columns.json"))
    assert answer.json()["version"] == crawled.catalog.version


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let this process write no file that is longer, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "name", ["packages.parquet", "packages.ndjson.zst", "catalog.sqlite", "columns.json"]
)
async def test_a_full_disk_is_told_and_costs_no_more_than_the_file(crawled: Crawled, name: str) -> None:
    with files_of_at_most(2_000):
        answer = await crawled.http.get(crawled.path(name))
        assert answer.status_code == 503
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "STORAGE_UNAVAILABLE"
        assert error["message"].startswith(
            "The file cannot be made now: the gateway's folder for files says "
        )
        assert str(crawled.folder) not in error["message"]
        asked = await crawled.http.post("/graphql", json={"query": "{ stats { packageCount } }"})
        assert asked.json()["data"]["stats"]["packageCount"] == len(crawled.catalog.packages)
    assert [path.name for path in crawled.folder.iterdir()] == ["lock"]
    assert (await crawled.http.get(crawled.path(name))).status_code == 200


async def test_a_folder_that_cannot_be_is_told(embedded: EmbeddedUpstream, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    app = app_over(embedded, files=str(tmp_path / "file"))
    async with client_of(app) as http:
        version = (await app.parts.source.crawl()).snapshot.catalog.version
        answer = await http.get(f"/catalog/{version}/columns.json")
        assert answer.status_code == 503
        assert "the gateway's folder for files says 'File exists'" in answer.json()["errors"][0]["message"]


async def test_what_a_killed_process_left_unfinished_is_no_file(crawled: Crawled) -> None:
    crawled.folder.mkdir()
    (crawled.folder / "unfinished").write_bytes(b"half")
    answer = await crawled.http.get(crawled.path("columns.json"))
    assert answer.json()["version"] == crawled.catalog.version
    assert not (crawled.folder / "unfinished").exists()


async def test_unknown_versions_take_no_place_of_those_who_wait(crawled: Crawled) -> None:
    asked = [
        crawled.http.get(f"/catalog/{number:032x}/packages.parquet") for number in range(2 * MAX_WAITING)
    ]
    answers = await asyncio.gather(*asked, crawled.http.get(crawled.path("packages.parquet")))
    assert {answer.status_code for answer in answers[:-1]} == {404}
    assert answers[-1].status_code == 200


async def test_without_pyarrow_the_other_files_are_there(
    crawled: Crawled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python itself is told that there is no such package."""
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = await crawled.http.get(crawled.path("packages.parquet"))
    assert answer.status_code == 501
    assert "pyarrow is not installed" in answer.json()["errors"][0]["message"]
    listed = (await crawled.http.get("/catalog")).json()["files"]
    assert not [each for each in listed if each["name"].endswith(".parquet")]
    for each in listed:
        assert (await crawled.http.get(crawled.path(each["name"]))).status_code == 200
