"""A version can be pinned, and the catalog rolled back to one, whichever storage has it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from catalog.catalog_difference import compare
from catalog.history import VersionUnknown
from catalog.storage.storage_port import StoragePort
from tests.support.made_records import catalog_of, grid, package
from tests.support.versioned_catalogs import Clock, keep
from tests.support.versions_in_a_storage import catalog_in, rebuilt_from, same, told, version_of


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
