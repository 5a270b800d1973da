"""Every storage tells of each version of its history, and rebuilds it."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from catalog.catalog_difference import CatalogDifference, ChangedRecord, RecordKey, compare
from catalog.history import CatalogVersion, ChangeFilter, VersionUnknown
from catalog.storage.storage_port import StoragePort
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.versioned_catalogs import BEGIN, Clock, keep, keep_versions
from tests.support.versions_in_a_storage import catalog_in, rebuilt_from, same


def difference_told(storage: StoragePort, one: CatalogVersion, other: CatalogVersion) -> CatalogDifference:
    deltas = storage.history.difference(one.number, other.number)
    keys = {
        sort: tuple(RecordKey(delta.kind, delta.id) for delta in deltas if delta.sort == sort)
        for sort in ("added", "removed")
    }
    changed = tuple(
        ChangedRecord(delta.kind, delta.id, delta.fields) for delta in deltas if delta.sort == "changed"
    )
    return CatalogDifference(one.version, other.version, keys["added"], changed, keys["removed"])


def fields_by_name(difference: CatalogDifference) -> object:
    """Return a difference without the order of fields and of a grid's packages, which are no content."""
    changed = {
        (change.kind, change.id): {
            each.name: (sorted(each.old), sorted(each.new))
            if each.name == "packages"
            else (each.old, each.new)
            for each in change.fields
        }
        for change in difference.changed
    }
    return difference.added, changed, difference.removed


@pytest.mark.parametrize("seed", range(5))
def test_every_version_is_rebuilt_as_it_was(storage: StoragePort, clock: Clock, seed: int) -> None:
    catalogs = keep_versions(storage, clock, 40, Random(seed))
    newest = catalog_in(storage.load())
    versions = storage.history.versions(limit=100)
    assert [each.version for each in versions] == [each.version for each in reversed(catalogs)]
    for version, catalog in zip(versions, reversed(catalogs), strict=True):
        assert same(rebuilt_from(storage, newest, version), catalog)


@pytest.mark.parametrize("seed", range(3))
def test_the_difference_of_two_versions_is_that_of_their_catalogs(
    storage: StoragePort, clock: Clock, seed: int
) -> None:
    draw = Random(seed)
    catalogs = keep_versions(storage, clock, 30, draw)
    versions = storage.history.versions(limit=100)[::-1]
    for _ in range(60):
        one, other = draw.randrange(30), draw.randrange(30)
        found = difference_told(storage, versions[one], versions[other])
        assert fields_by_name(found) == fields_by_name(compare(catalogs[one], catalogs[other]))


def test_a_version_says_when_it_came_and_what_it_changed(storage: StoragePort, clock: Clock) -> None:
    first = catalog_of(package(1), package(2), package(3), grid(1), category(1))
    keep(storage, first, clock.moment - timedelta(minutes=5))
    second = catalog_of(
        package(1, repo_watchers=5), package(2, repo_watchers=6, title="x"), package(4), category(1)
    )
    keep(storage, second, clock.go(hours=1))
    keep(storage, second, clock.go(hours=1))
    newest, oldest = storage.history.versions(limit=10)
    assert (oldest.version, oldest.at, oldest.refreshed_at) == (
        first.version,
        BEGIN,
        BEGIN - timedelta(minutes=5),
    )
    assert (oldest.cause, oldest.changes, oldest.fields) == ("crawl", {}, {})
    assert oldest.counts == {"package": 3, "grid": 1, "category": 1}
    assert (newest.version, newest.at) == (second.version, BEGIN + timedelta(hours=1))
    assert newest.refreshed_at == BEGIN + timedelta(hours=2)
    assert newest.counts == {"package": 3, "grid": 0, "category": 1}
    assert newest.changes == {"package": {"added": 1, "changed": 2, "removed": 1}, "grid": {"removed": 1}}
    assert newest.fields == {"repo_watchers": 2, "title": 1}
    assert storage.history.versions(limit=1) == [newest]
    assert storage.history.versions(limit=10, before=newest.number) == [oldest]
    assert storage.history.oldest() == oldest


def test_a_version_is_found_by_the_beginning_of_its_hash(storage: StoragePort, clock: Clock) -> None:
    one, other = catalog_of(package(1)), catalog_of(package(2))
    for catalog in (one, other, one):
        keep(storage, catalog, clock.go(hours=1))
    # A content that came back is one version for whoever asks by its hash.
    assert storage.history.named(one.version).number == 3
    assert storage.history.named(other.version[:12]).number == 2
    with pytest.raises(VersionUnknown) as several:
        storage.history.named("")
    assert str(several.value) == f'Several versions begin with ""; {one.version} and {other.version} do.'
    with pytest.raises(VersionUnknown) as none:
        storage.history.named("xyz")
    assert str(none.value) == (
        'There is no version "xyz" in the history. History reaches from 2026-01-01T13:00:00Z until now.'
    )


def test_a_moment_finds_the_version_that_was_the_newest_then(storage: StoragePort, clock: Clock) -> None:
    catalogs = [catalog_of(package(id)) for id in (1, 2, 3)]
    for catalog in catalogs:
        keep(storage, catalog, clock.moment)
        clock.go(hours=1)
    for hours, number in [(0, 1), (0.99, 1), (1, 2), (1.5, 2), (2, 3), (3, 3)]:
        assert storage.history.at(BEGIN + timedelta(hours=hours)).number == number
    with pytest.raises(VersionUnknown) as early:
        storage.history.at(BEGIN - timedelta(seconds=1))
    assert str(early.value) == (
        "Nothing is known of the catalog as it was at 2026-01-01T11:59:59Z. "
        "History reaches from 2026-01-01T12:00:00Z until now."
    )
    with pytest.raises(VersionUnknown) as late:
        storage.history.at(clock.moment + timedelta(seconds=1))
    assert str(late.value) == (
        "2026-01-01T15:00:01Z is in the future. History reaches from 2026-01-01T12:00:00Z until now."
    )


def test_before_the_first_catalog_there_is_no_history(storage: StoragePort) -> None:
    assert storage.history.versions(limit=10) == []
    assert storage.history.oldest() is None
    assert storage.history.pinned() is None
    with pytest.raises(VersionUnknown, match=r"^Nothing is known .* Nothing is kept yet\.$"):
        storage.history.at(BEGIN)


def test_what_happened_to_one_record_is_told_with_both_values(storage: StoragePort, clock: Clock) -> None:
    versions = [
        catalog_of(package(1, repo_watchers=5), package(2)),
        catalog_of(package(1, repo_watchers=6, title="x"), package(2)),
        catalog_of(package(2)),
        catalog_of(package(1, repo_watchers=9), package(2)),
    ]
    for catalog in versions:
        keep(storage, catalog, clock.moment)
        clock.go(hours=1)
    changed, removed, added = storage.history.changes_of("package", 1)
    assert [(each.number, each.delta.sort) for each in (changed, removed, added)] == [
        (2, "changed"),
        (3, "removed"),
        (4, "added"),
    ]
    assert [each.at for each in (changed, removed, added)] == [BEGIN + timedelta(hours=n) for n in (1, 2, 3)]
    assert (changed.delta.before, changed.delta.after) == (
        {"title": "title 1", "repo_watchers": 5},
        {"title": "x", "repo_watchers": 6},
    )
    assert (removed.delta.before["repo_watchers"], removed.delta.after) == (6, {})
    assert (added.delta.before, added.delta.after["repo_watchers"]) == ({}, 9)
    assert storage.history.changes_of("package", 1, ChangeFilter(since=BEGIN + timedelta(hours=2))) == [
        removed,
        added,
    ]
    assert storage.history.arrivals_and_departures("package") == [removed, added]
    assert storage.history.arrivals_and_departures("package", since=BEGIN + timedelta(hours=2.5)) == [added]
    assert storage.history.changes_of("grid", 1) == storage.history.arrivals_and_departures("grid") == []
