"""What every storage keeps of the catalog's versions, whichever it is: to rebuild, to compare, to pin and roll back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest

from catalog.history import CatalogVersion, VersionUnknown, rebuilt, records_of
from catalog.indexed_catalog import Catalog, CatalogDifference, ChangedRecord, RecordKey, compare
from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import StoragePort, Stored
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.versioned_catalogs import BEGIN, Clock, keep, keep_versions

DAYS = 10

Open = Callable[[Path, Clock], StoragePort]


def in_a_file(path: Path, clock: Clock) -> StoragePort:
    return Storage(str(path), DAYS, clock)


def in_memory(path: Path, clock: Clock) -> StoragePort:
    return Storage(":memory:", DAYS, clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[in_a_file, in_memory])
def storage(request: pytest.FixtureRequest, path: Path, clock: Clock) -> Iterator[StoragePort]:
    """Return each storage that there is, with the clock of the test; it keeps ten days."""
    with closing(request.param(path, clock)) as storage:
        yield storage


def catalog_in(stored: Stored | None) -> Catalog:
    assert stored is not None
    return Catalog.build(stored.packages, stored.grids, stored.categories)


def same(one: Catalog, other: Catalog) -> bool:
    """Return whether two catalogs have the same records, to the byte, but for the order of a grid's packages."""
    sorted_packages = [
        {
            kind: {
                id: msgspec.structs.replace(record, packages=tuple(sorted(record.packages)))
                if kind == "grid"
                else record
                for id, record in of_kind.items()
            }
            for kind, of_kind in records_of(catalog).items()
        }
        for catalog in (one, other)
    ]
    return msgspec.json.encode(sorted_packages[0]) == msgspec.json.encode(sorted_packages[1])


def version_of(storage: StoragePort, catalog: Catalog) -> CatalogVersion:
    return storage.history.named(catalog.version)


def rebuilt_from(storage: StoragePort, newest: Catalog, version: CatalogVersion) -> Catalog:
    way = storage.history.way_back(version)
    assert way.newest == newest.version
    return rebuilt(records_of(newest), way.deltas, version)


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


def told(storage: StoragePort, after: int) -> list[tuple[str, str, int]]:
    return [
        (entry.change.sort, entry.change.kind, entry.change.id)
        for entry in storage.changes(after, 999).entries
    ]


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
    assert storage.history.changes_of("package", 1, since=BEGIN + timedelta(hours=2)) == [removed, added]
    assert storage.history.arrivals_and_departures("package") == [removed, added]
    assert storage.history.arrivals_and_departures("package", since=BEGIN + timedelta(hours=2.5)) == [added]
    assert storage.history.changes_of("grid", 1) == storage.history.arrivals_and_departures("grid") == []


def test_versions_that_were_replaced_before_history_begins_are_dropped(
    storage: StoragePort, clock: Clock
) -> None:
    catalogs = [catalog_of(package(1, repo_watchers=stars)) for stars in range(30)]
    for catalog in catalogs:
        keep(storage, catalog, clock.moment)
        clock.go(days=1)
    oldest = storage.history.oldest()
    assert oldest is not None
    # The one that was the newest ten days before the last save is the first that is kept.
    assert oldest.at <= clock.moment - timedelta(days=1 + DAYS) < oldest.at + timedelta(days=1)
    kept = storage.history.versions(limit=100)
    assert len(kept) == DAYS + 1
    newest = catalog_in(storage.load())
    for version, catalog in zip(kept, reversed(catalogs), strict=False):
        assert same(rebuilt_from(storage, newest, version), catalog)
    with pytest.raises(
        VersionUnknown, match=r"is no longer kept\. History reaches from 2026-01-20T12:00:00Z"
    ):
        storage.history.way_back(msgspec.structs.replace(kept[-1], number=1))
    assert len(storage.history.changes_of("package", 1)) == DAYS + 1


def test_few_versions_are_dropped_at_once(storage: StoragePort, clock: Clock) -> None:
    for stars in range(120):
        keep(storage, catalog_of(package(1, repo_watchers=stars)), clock.moment)
        clock.go(minutes=1)
    clock.go(days=2 * DAYS)
    lengths = []
    for stars in range(4):
        keep(storage, catalog_of(package(1, title=f"{stars}")), clock.go(minutes=1))
        lengths.append(len(storage.history.versions(limit=999)))
    # 120 and one, of which 120 are too old; the last of them was the newest when history began.
    assert lengths == [71, 22, 4, 5]


def test_a_clock_that_jumps_back_leaves_no_gap(storage: StoragePort, clock: Clock) -> None:
    catalogs = [catalog_of(package(1, repo_watchers=stars)) for stars in range(4)]
    for catalog, hours in zip(catalogs, (0.0, 5.0, 1.0, 2.0), strict=True):
        clock.moment = BEGIN + timedelta(hours=hours)
        keep(storage, catalog, clock.moment)
    clock.moment = BEGIN + timedelta(hours=9)
    # What was stored last counts, as it was known then to be the newest.
    for hours, number in [(0.5, 1), (1.0, 3), (1.5, 3), (2.0, 4), (6.0, 4)]:
        assert storage.history.at(BEGIN + timedelta(hours=hours)).number == number
    newest = catalog_in(storage.load())
    for version, catalog in zip(storage.history.versions(limit=9), reversed(catalogs), strict=True):
        assert same(rebuilt_from(storage, newest, version), catalog)


def test_a_pinned_version_stays_while_crawls_go_on_into_history(storage: StoragePort, clock: Clock) -> None:
    one, two, three = (
        catalog_of(package(1, repo_watchers=1), package(2)),
        catalog_of(package(1, repo_watchers=2), grid(7)),
        catalog_of(package(1, repo_watchers=3), grid(7)),
    )
    for catalog in (one, two):
        keep(storage, catalog, clock.go(hours=1))
    place = storage.changes(0, 999).last
    storage.history.pin(version_of(storage, one))
    pinned = storage.history.pinned()
    assert pinned is not None
    assert (pinned.number, pinned.version) == (1, one.version)
    # The feed tells of what is served.
    assert told(storage, place) == [
        ("changed", "package", 1),
        ("added", "package", 2),
        ("removed", "grid", 7),
    ]
    place = storage.changes(0, 999).last
    keep(storage, three, clock.go(hours=1))
    assert told(storage, place) == []
    assert [each.version for each in storage.history.versions(limit=9)] == [
        each.version for each in (three, two, one)
    ]
    assert catalog_in(storage.load()).version == three.version
    storage.history.unpin()
    assert storage.history.pinned() is None
    assert told(storage, place) == [
        ("changed", "package", 1),
        ("removed", "package", 2),
        ("added", "grid", 7),
    ]
    (changed, *_) = storage.changes(place, 999).entries
    assert [(each.name, each.old, each.new) for each in changed.change.fields] == [("repo_watchers", 1, 3)]


def test_a_pinned_version_is_kept_however_old_it_is(storage: StoragePort, clock: Clock) -> None:
    catalogs = [catalog_of(package(1, repo_watchers=stars)) for stars in range(30)]
    keep(storage, catalogs[0], clock.moment)
    keep(storage, catalogs[1], clock.go(days=1))
    storage.history.pin(version_of(storage, catalogs[1]))
    for catalog in catalogs[2:]:
        keep(storage, catalog, clock.go(days=1))
    oldest = storage.history.oldest()
    assert oldest is not None
    assert oldest.version == catalogs[1].version
    assert same(rebuilt_from(storage, catalogs[-1], oldest), catalogs[1])


def test_a_pin_can_move_and_unpinning_nothing_changes_nothing(storage: StoragePort, clock: Clock) -> None:
    catalogs = [catalog_of(package(1, repo_watchers=stars)) for stars in range(3)]
    for catalog in catalogs:
        keep(storage, catalog, clock.go(hours=1))
    place = storage.changes(0, 999).last
    storage.history.unpin()
    assert told(storage, place) == []
    storage.history.pin(version_of(storage, catalogs[0]))
    storage.history.pin(version_of(storage, catalogs[1]))
    stars = [entry.change.fields[0] for entry in storage.changes(place, 999).entries]
    assert [(each.old, each.new) for each in stars] == [(2, 0), (0, 1)]


def test_a_rollback_is_a_version_with_the_older_content(storage: StoragePort, clock: Clock) -> None:
    one, two, three = (
        catalog_of(package(1, repo_watchers=1), package(2)),
        catalog_of(package(1, repo_watchers=2)),
        catalog_of(package(1, repo_watchers=3), package(2)),
    )
    keep(storage, one, clock.go(hours=1))
    keep(storage, two, clock.go(hours=1))
    place = storage.changes(0, 999).last
    storage.history.roll_back(version_of(storage, one))
    stored = storage.load()
    assert same(catalog_in(stored), one)
    assert stored is not None
    # Upstream was read an hour after it was last like this.
    assert (stored.refreshed_at, stored.rolled_back_to) == (clock.moment, clock.moment - timedelta(hours=1))
    assert told(storage, place) == [("changed", "package", 1), ("added", "package", 2)]
    newest = storage.history.versions(limit=1)[0]
    assert (newest.number, newest.version, newest.cause) == (3, one.version, "rollback")
    keep(storage, three, clock.go(hours=1), compare(one, three))
    assert [each.cause for each in storage.history.versions(limit=9)] == [
        "crawl",
        "rollback",
        "crawl",
        "crawl",
    ]
    after = storage.load()
    assert after is not None
    assert after.rolled_back_to is None
    assert told(storage, place)[2:] == [("changed", "package", 1)]


def test_a_version_that_is_gone_cannot_be_pinned_or_rolled_back_to(
    storage: StoragePort, clock: Clock
) -> None:
    keep(storage, catalog_of(package(1)), clock.moment)
    known = storage.history.versions(limit=1)[0]
    gone = msgspec.structs.replace(known, number=99)
    for choose in (storage.history.pin, storage.history.roll_back):
        with pytest.raises(
            VersionUnknown, match=r"is no longer kept\. History reaches from 2026-01-01T12:00:00Z"
        ):
            choose(gone)
    assert storage.history.pinned() is None
    assert storage.history.versions(limit=9) == [known]
