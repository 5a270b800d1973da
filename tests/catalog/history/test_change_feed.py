"""Tests the change feed in the catalog file: what each save puts into it, what it drops, and what a reader is told."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.catalog_difference import FieldDifference
from catalog.history.change_feed import FeedExcerpt
from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import Stored
from tests.support.made_records import grid, package
from tests.support.stored_catalogs import begin, change, save
from upstream.client.upstream_errors import StorageUnavailable
from upstream.client.v4_records import GridRecord, PackageRecord

ROOT = Path(__file__).parents[3]
MONTH = timedelta(days=30)


def catalog(
    version: str = "origin 1", packages: Iterable[PackageRecord] = (), grids: Iterable[GridRecord] = ()
) -> Stored:
    return Stored(version, datetime(2026, 1, 2, tzinfo=UTC), tuple(packages), tuple(grids), ())


def titled(*titles: str) -> Stored:
    """Packages 1, 2, ... with these titles."""
    return catalog(packages=[package(id, title=title) for id, title in enumerate(titles, 1)])


def told(excerpt: FeedExcerpt) -> list[tuple[str, str, int]]:
    return [(entry.change.sort, entry.change.kind, entry.change.id) for entry in excerpt.entries]


def places(excerpt: FeedExcerpt) -> list[int]:
    return [entry.place for entry in excerpt.entries]


def age(path: Path, place: int, by: timedelta) -> None:
    then = (datetime.now(UTC) - by).isoformat()
    change(path, "UPDATE changes SET at = ? WHERE place = ?", then, place)


def test_a_file_without_a_catalog_has_an_empty_feed_without_a_name(storage: Storage) -> None:
    excerpt = storage.changes(0, 10)
    assert (excerpt.feed, excerpt.entries, excerpt.left, excerpt.last) == ("", (), 0, 0)
    assert excerpt.complete


def test_the_first_catalog_is_no_change(storage: Storage) -> None:
    save(storage, titled("a", "b"))
    excerpt = storage.changes(0, 10)
    assert (excerpt.entries, excerpt.last, excerpt.complete) == ((), 0, True)
    assert excerpt.feed


def test_the_same_catalog_again_is_no_change(storage: Storage) -> None:
    save(storage, titled("a", "b"))
    feed = storage.changes(0, 10).feed
    save(storage, replace(titled("a", "b"), refreshed_at=datetime(2026, 1, 3, tzinfo=UTC)))
    assert storage.changes(0, 10).entries == ()
    assert storage.changes(0, 10).feed == feed


def test_a_save_tells_what_came_what_changed_and_what_is_gone(storage: Storage) -> None:
    save(storage, catalog("origin 1", [package(1), package(2, repo_watchers=5), package(3)], [grid(7)]))
    before = datetime.now(UTC)
    new = [package(1), package(2, repo_watchers=6, slug="renamed", grids=(7,)), package(4)]
    save(storage, catalog("origin 2", new, [grid(8)]))
    excerpt = storage.changes(0, 10)
    assert told(excerpt) == [
        ("changed", "package", 2),
        ("removed", "package", 3),
        ("added", "package", 4),
        ("removed", "grid", 7),
        ("added", "grid", 8),
    ]
    changed, removed, added = (entry.change for entry in excerpt.entries[:3])
    assert changed.fields == (
        FieldDifference("slug", "slug-2", "renamed"),
        FieldDifference("repo_watchers", 5, 6),
        FieldDifference("grids", [], [7]),
    )
    assert (removed.fields, added.fields) == ((), ())
    assert [changed.slug, removed.slug, added.slug] == ["renamed", "slug-3", "slug-4"]
    assert {entry.change.version for entry in excerpt.entries} == {"origin 2"}
    # When it was saved, whatever the catalog says of itself.
    assert all(before <= entry.change.at <= datetime.now(UTC) for entry in excerpt.entries)


def test_another_order_of_a_grids_packages_is_no_change(storage: Storage) -> None:
    save(storage, catalog(grids=[grid(7, packages=(3, 1, 2), title="x")]))
    save(storage, catalog(grids=[grid(7, packages=(1, 2, 3), title="x")]))
    assert storage.changes(0, 10).entries == ()
    save(storage, catalog(grids=[grid(7, packages=(2, 1), title="y")]))
    ((entry),) = storage.changes(0, 10).entries
    assert entry.change.fields == (
        FieldDifference("title", "x", "y"),
        FieldDifference("packages", [1, 2, 3], [2, 1]),
    )


@pytest.mark.parametrize("damage", ["{", "{}", "[]", '{"slug": 1}', "\udcff"])
@pytest.mark.parametrize("stays", [True, False])
def test_nothing_is_told_of_a_record_whose_row_was_damaged(
    storage: Storage, path: Path, damage: str, stays: bool
) -> None:
    save(storage, titled("a", "b"))
    body = damage.encode(errors="surrogateescape")
    change(path, "UPDATE records SET body = ? WHERE kind = 'package' AND id = 1", body)
    save(storage, titled("a", "c") if stays else catalog(packages=[package(2, title="c")]))
    assert told(storage.changes(0, 10)) == [("changed", "package", 2)]


def test_another_upstreams_catalog_is_refused_and_changes_nothing(storage: Storage, path: Path) -> None:
    one = replace(titled("b"), version="one 2")
    save(storage, replace(titled("a"), version="one 1"))
    save(storage, one)
    feed = storage.changes(0, 10)
    with pytest.raises(StorageUnavailable) as refusal:
        save(storage, replace(titled("x", "y"), version="other 1"))
    assert str(refusal.value) == (
        f"The catalog file {path} cannot be used: it has the catalog of another upstream; set "
        "GATEWAY_STORAGE to another file, or remove this one."
    )
    assert storage.changes(0, 10) == feed
    assert storage.load() == one


def test_the_place_of_the_version_is_no_part_of_the_upstreams_name(storage: Storage) -> None:
    save(storage, replace(titled("a"), version="http://a.test/api v4/ 1"))
    save(storage, replace(titled("b"), version="http://a.test/api v4/ 2"))
    assert told(storage.changes(0, 10)) == [("changed", "package", 1)]


def test_a_catalog_row_that_is_damaged_begins_a_new_feed(storage: Storage, path: Path) -> None:
    save(storage, titled("a"))
    save(storage, titled("b"))
    old = storage.changes(0, 10)
    change(path, "UPDATE records SET body = '{' WHERE kind = 'catalog'")
    save(storage, titled("c"))
    new = storage.changes(0, 10)
    assert new.feed not in ("", old.feed)
    assert new.entries == ()
    # Places go on, so that one of the old feed is none of the new one's.
    save(storage, titled("d"))
    assert [entry.place for entry in storage.changes(old.last, 10).entries] == [old.last + 1]


def test_pages_say_what_is_left_and_where_they_end(storage: Storage) -> None:
    save(storage, titled(*"aaaaa"))
    save(storage, titled(*"bbbbb"))
    excerpt = storage.changes(0, 2)
    assert (places(excerpt), excerpt.left, excerpt.end, excerpt.earlier) == ([1, 2], 3, 2, False)
    excerpt = storage.changes(excerpt.end, 2)
    assert (places(excerpt), excerpt.left, excerpt.end, excerpt.earlier) == ([3, 4], 1, 4, True)
    excerpt = storage.changes(excerpt.end, 2)
    assert (places(excerpt), excerpt.left, excerpt.end, excerpt.earlier) == ([5], 0, 5, True)
    excerpt = storage.changes(excerpt.end, 2)
    assert (places(excerpt), excerpt.left, excerpt.end, excerpt.last) == ([], 0, 5, 5)
    assert storage.changes(0, 0).left == 5


def test_a_reader_can_leave_out_what_is_newer_than_its_catalog(storage: Storage) -> None:
    save(storage, titled(*"aaaaa"))
    save(storage, titled(*"bbbbb"))
    excerpt = storage.changes(1, 10, until=3)
    assert (places(excerpt), excerpt.left, excerpt.end, excerpt.last) == ([2, 3], 0, 3, 5)
    assert (storage.changes(1, 1, until=3).left, storage.changes(1, 1, until=3).newest) == (1, 3)
    # Who was told more by another process is not sent back.
    excerpt = storage.changes(4, 10, until=3)
    assert (places(excerpt), excerpt.left, excerpt.end) == ([], 0, 4)
    assert storage.changes(0, 10, until=99).end == 5


def test_places_follow_one_another_over_saves_restarts_and_failed_saves(storage: Storage, path: Path) -> None:
    save(storage, titled("a", "a"))
    save(storage, titled("b", "b"))
    change(path, "CREATE TRIGGER refuse BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(Exception, match="no"):
        save(storage, titled("c"))
    change(path, "DROP TRIGGER refuse")
    begin(path, titled("d", "d"))
    assert places(storage.changes(0, 10)) == [1, 2, 3, 4]


def test_what_is_older_than_30_days_is_dropped_by_the_next_save(storage: Storage, path: Path) -> None:
    save(storage, titled(*"aaa"))
    save(storage, titled(*"bbb"))
    feed = storage.changes(0, 10).feed
    age(path, 1, MONTH + timedelta(minutes=1))
    age(path, 2, MONTH - timedelta(minutes=1))
    assert places(storage.changes(0, 10)) == [1, 2, 3]
    save(storage, titled("b", "b", "c"))
    excerpt = storage.changes(0, 10)
    assert (places(excerpt), excerpt.feed, excerpt.left) == ([2, 3, 4], feed, 0)
    assert (excerpt.complete, storage.changes(1, 10).complete) == (False, True)
    # What is dropped is not there to go back to.
    assert (storage.changes(1, 10).earlier, storage.changes(2, 10).earlier) == (False, True)
    assert storage.changes(0, 1).left == 2


def test_when_all_of_it_is_dropped_only_the_end_is_complete(storage: Storage, path: Path) -> None:
    save(storage, titled("a", "a"))
    save(storage, titled("b", "b"))
    for place in (1, 2):
        age(path, place, 2 * MONTH)
    save(storage, titled("b", "b"))
    excerpt = storage.changes(1, 10)
    assert (excerpt.entries, excerpt.left, excerpt.last, excerpt.complete) == ((), 0, 2, False)
    assert (storage.changes(2, 10).complete, storage.changes(2, 10).earlier) == (True, False)
    save(storage, titled("c", "b"))
    assert places(storage.changes(2, 10)) == [3]


def test_a_clock_that_was_set_back_leaves_no_gap(storage: Storage, path: Path) -> None:
    save(storage, titled(*"aaa"))
    save(storage, titled(*"bbb"))
    age(path, 2, 2 * MONTH)
    save(storage, titled(*"bbb"))
    assert places(storage.changes(0, 10)) == [3]


def test_a_damaged_entry_is_left_out_and_said_in_the_log(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(storage, titled(*"aaa"))
    save(storage, titled(*"bbb"))
    change(path, "UPDATE changes SET body = '{' WHERE place = 2")
    excerpt = storage.changes(0, 2)
    # The end is behind it, or its reader would come back to it for ever.
    assert (places(excerpt), excerpt.end, excerpt.left) == ([1], 2, 1)
    assert "Entry 2 of the change feed is damaged" in caplog.text


def test_reading_does_not_wait_for_a_save(storage: Storage, path: Path) -> None:
    save(storage, titled("a"))
    save(storage, titled("b"))
    with closing(sqlite3.connect(path, isolation_level=None)) as saver:
        saver.execute("BEGIN IMMEDIATE")
        saver.execute("DELETE FROM changes")
        assert places(storage.changes(0, 10)) == [1]
        saver.execute("ROLLBACK")


def test_every_process_reads_what_any_of_them_saved(storage: Storage, path: Path) -> None:
    save(storage, titled("a", "a"))
    save(storage, titled("b", "a"))
    begin(path.with_name("other.sqlite"), titled("b", "b"))
    code = "import sys; from catalog.storage.sqlite_storage import Storage; path, other = map(Storage, sys.argv[1:])"
    code += "; path.save(**vars(other.load())); print(path.changes(0, 10).feed)"
    command = [sys.executable, "-c", code, str(path), str(path.with_name("other.sqlite"))]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    excerpt = storage.changes(0, 10)
    assert done.stdout == f"{excerpt.feed}\n"
    assert told(excerpt) == [("changed", "package", 1), ("changed", "package", 2)]
    assert places(excerpt) == [1, 2]
