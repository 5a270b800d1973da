"""Tests the catalog on disk: what a save writes, and what comes back."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.stored_catalogs import MOMENT, A, a_catalog, a_package, begin, change, save, stored_in


def test_nothing_was_saved_yet(storage: Storage) -> None:
    assert storage.load() is None
    assert storage.saved() is None


@pytest.mark.parametrize("place", ["catalog.sqlite", ":memory:"])
def test_every_field_comes_back_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Storage(place)) as storage:
        save(storage, A)
        loaded = storage.load()
        assert loaded == A
        # Equal moments can have different offsets; equal JSON cannot.
        assert msgspec.json.encode(loaded) == msgspec.json.encode(A)
        assert storage.saved() == ("A", A.refreshed_at)
    assert set(tmp_path.iterdir()) == set(
        [] if place == ":memory:" else [tmp_path / place, tmp_path / f"{place}.lock"]
    )


def test_refreshed_at_comes_back_in_utc(storage: Storage) -> None:
    save(storage, replace(A, refreshed_at=MOMENT))
    loaded = storage.load()
    assert loaded is not None
    assert (loaded.refreshed_at, loaded.refreshed_at.utcoffset()) == (MOMENT, timedelta(0))


def test_records_come_newest_id_first(storage: Storage) -> None:
    save(storage, replace(A, packages=A.packages[::-1], grids=A.grids[::-1]))
    assert storage.load() == A


def test_a_restart_finds_the_catalog(path: Path) -> None:
    begin(path, A)
    assert stored_in(path) == A


def test_a_save_writes_exactly_the_rows_that_differ(storage: Storage, path: Path) -> None:
    save(storage, A)
    change(path, "CREATE TABLE written (what TEXT, kind TEXT, id INTEGER)")
    for what, row in [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")]:
        change(
            path,
            f"CREATE TRIGGER on_{what} AFTER {what} ON records BEGIN"
            f" INSERT INTO written VALUES ('{what}', {row}.kind, {row}.id); END",
        )

    def written() -> set[tuple[str, str, int]]:
        with closing(sqlite3.connect(path)) as connection, connection:
            rows = connection.execute("SELECT * FROM written").fetchall()
            connection.execute("DELETE FROM written")
        assert len(set(rows)) == len(rows)
        return set(rows)

    save(storage, A)
    assert written() == set()
    save(storage, replace(A, refreshed_at=A.refreshed_at + timedelta(minutes=1)))
    assert written() == {("UPDATE", "catalog", 0)}
    changed = replace(
        A,
        version="next",
        packages=(a_package(301), *A.packages[:-2], a_package(2, "new title")),
        grids=A.grids[1:],
    )
    save(storage, changed)
    assert written() == {
        ("UPDATE", "catalog", 0),
        ("INSERT", "package", 301),
        ("UPDATE", "package", 2),
        ("DELETE", "package", 1),
        ("DELETE", "grid", 9),
    }
    assert storage.load() == changed


@pytest.mark.parametrize("body", [b"", b"{", b'{"id": "1"}', b'{"title": "\xff"}', 5, "{}"])
def test_a_damaged_row_is_left_out_until_the_next_save(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture, body: bytes | int | str
) -> None:
    save(storage, A)
    change(path, "UPDATE records SET body = ? WHERE kind = 'package' AND id = 300", body)
    assert storage.load() == replace(A, packages=A.packages[1:])
    (message,) = caplog.messages
    assert message.startswith(f"In the catalog file {path}, package 300 is damaged and left out: ")
    save(storage, A)
    assert storage.load() == A


def test_without_its_version_the_catalog_counts_as_never_saved(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(storage, A)
    change(path, "UPDATE records SET body = x'7b' WHERE kind = 'catalog'")
    assert storage.load() is None
    assert storage.saved() is None
    assert caplog.messages[0].startswith(f"In the catalog file {path}, catalog 0 is damaged and left out: ")


def test_threads_share_a_storage(storage: Storage) -> None:
    catalogs = a_catalog("A", packages=30), a_catalog("B", packages=30)

    def work(number: int) -> bool:
        save(storage, catalogs[number % 2])
        return storage.load() in catalogs and storage.saved() is not None

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(32)))
