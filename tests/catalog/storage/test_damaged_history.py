"""A history that is damaged, missing or of an older program costs what it said, and never the catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.history import HistoryDamaged, rebuilt, records_of
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from tests.support.made_records import catalog_of, package
from tests.support.stored_catalogs import change
from tests.support.versioned_catalogs import ORIGIN, Clock, keep

ONE, TWO, THREE = (
    catalog_of(*(package(id, repo_watchers=stars) for id in range(1, 50))) for stars in (1, 2, 3)
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path, clock: Clock) -> Path:
    """Return a file with three versions, which is closed."""
    path = tmp_path / "catalog.sqlite"
    with closing(Storage(str(path), now=clock)) as storage:
        for catalog in (ONE, TWO, THREE):
            keep(storage, catalog, clock.go(hours=1))
    return path


@pytest.fixture
def storage(path: Path, clock: Clock) -> Iterator[Storage]:
    """Return the storage over that file."""
    with closing(Storage(str(path), now=clock)) as storage:
        yield storage


def rebuild(storage: Storage, catalog: Catalog) -> Catalog:
    version = storage.history.named(catalog.version)
    return rebuilt(records_of(THREE), storage.history.way_back(version).deltas, version)


def version_in(path: Path) -> str | None:
    with closing(Storage(str(path))) as storage:
        stored = storage.load()
    if stored is None:
        return None
    return Catalog.build(stored.packages, stored.grids, stored.categories).version


def garble_the_root_of(path: Path, table: str) -> None:
    """Write nonsense into the first page of a table, as a failing disk does."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,), (root,) = (
            connection.execute(statement).fetchone()
            for statement in (
                "PRAGMA page_size",
                f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'",
            )
        )
    body = bytearray(path.read_bytes())
    body[(root - 1) * size : root * size] = b"\xa5" * size
    path.write_bytes(body)


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'{"title": 1}', b"\xff", 5])
def test_versions_behind_a_damaged_row_cannot_be_rebuilt_and_the_others_can(
    storage: Storage, path: Path, clock: Clock, damage: bytes | int
) -> None:
    change(path, "UPDATE record_changes SET body = ? WHERE number = 2 AND id = 7", damage)
    with pytest.raises(HistoryDamaged, match=r"^What version 2 changed in record 7 is damaged"):
        rebuild(storage, ONE)
    assert rebuild(storage, TWO).version == TWO.version
    with pytest.raises(HistoryDamaged):
        storage.history.changes_of("package", 7)
    assert len(storage.history.changes_of("package", 8)) == 2
    keep(storage, ONE, clock.go(hours=1))
    assert storage.history.named(ONE.version).number == 4


def test_a_value_that_was_altered_is_found_by_the_hash(storage: Storage, path: Path) -> None:
    change(path, "UPDATE record_changes SET body = '{\"repo_watchers\":[8,2]}' WHERE number = 2 AND id = 7")
    with pytest.raises(HistoryDamaged) as damaged:
        rebuild(storage, ONE)
    assert str(damaged.value) == (
        f"Version {ONE.version} of 2026-01-01 13:00:00 UTC cannot be rebuilt, because the stored history of the "
        "catalog is damaged."
    )
    assert rebuild(storage, TWO).version == TWO.version


def test_a_row_that_is_missing_is_found_by_the_hash(storage: Storage, path: Path) -> None:
    change(path, "DELETE FROM record_changes WHERE number = 2 AND id = 7")
    with pytest.raises(HistoryDamaged, match="cannot be rebuilt"):
        rebuild(storage, ONE)


def test_a_damaged_version_is_left_out_of_the_list(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change(path, "UPDATE versions SET body = '{' WHERE number = 2")
    assert [each.number for each in storage.history.versions(limit=9)] == [3, 1]
    assert caplog.messages[0].startswith("Version 2 in the history of the catalog is damaged: ")


@pytest.mark.parametrize("table", ["versions", "record_changes"])
def test_a_file_without_a_table_of_history_begins_it_anew(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    with closing(Storage(str(path))) as storage:
        feed = storage.changes(0, 99)
    change(path, f"DROP TABLE {table}")
    with closing(Storage(str(path), now=clock)) as begun:
        assert caplog.messages == [
            f"The history in the catalog file {path} lacks its tables; it is begun anew."
        ]
        assert begun.changes(0, 99) == feed
        assert begun.history.versions(limit=9) == []
        keep(begun, ONE, clock.go(hours=1))
        (version,) = begun.history.versions(limit=9)
        assert (version.version, version.changes) == (ONE.version, {})
        keep(begun, TWO, clock.go(hours=1))
        assert begun.history.changes_of("package", 7)[0].delta.before == {"repo_watchers": 1}
    assert version_in(path) == TWO.version


@pytest.mark.parametrize("table", ["versions", "record_changes", "changes_of_record"])
def test_a_file_that_is_corrupt_in_its_history_alone_keeps_its_catalog(
    path: Path, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    garble_the_root_of(path, table)
    assert version_in(path) == THREE.version
    aside, kept = caplog.messages
    assert aside.startswith(f"The catalog file {path} is corrupt; it was set aside as {path}.set-aside-")
    assert kept.endswith(" was whole, and is kept without its history.")


def test_a_file_that_is_corrupt_in_its_records_is_begun_anew(path: Path) -> None:
    garble_the_root_of(path, "records")
    assert version_in(path) is None


def test_a_file_of_the_layout_without_history_keeps_its_catalog_and_its_feed(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Storage(str(path))) as storage:
        feed = storage.changes(0, 99)
    for statement in ("DROP TABLE versions", "DROP TABLE record_changes", "PRAGMA user_version = 2"):
        change(path, statement)
    with closing(Storage(str(path), now=clock)) as opened:
        assert opened.saved() == (f"{ORIGIN} {THREE.version}", clock.moment)
        assert opened.changes(0, 99) == feed
        keep(opened, THREE, clock.go(hours=1))
        assert [each.version for each in opened.history.versions(limit=9)] == [THREE.version]
    assert caplog.messages == []


def test_a_pin_whose_version_is_gone_ends_with_the_next_crawl_and_the_feed_begins_anew(
    path: Path, clock: Clock
) -> None:
    with closing(Storage(str(path))) as storage:
        storage.history.pin(storage.history.named(ONE.version))
        feed = storage.changes(0, 0).feed
    change(path, "DROP TABLE versions")
    with closing(Storage(str(path), now=clock)) as begun:
        keep(begun, TWO, clock.go(hours=1))
        assert begun.history.pinned() is None
        # Who read the pinned version has to read everything again.
        assert begun.changes(0, 0).feed != feed
        keep(begun, THREE, clock.go(hours=1))
        assert begun.changes(0, 0).left == 49
