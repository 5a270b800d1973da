"""Every storage drops versions that are too old, a few at a time, and leaves no gap."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from catalog.history import VersionUnknown
from catalog.storage.storage_port import StoragePort
from tests.support.made_records import catalog_of, package
from tests.support.versioned_catalogs import BEGIN, Clock, keep
from tests.support.versions_in_a_storage import DAYS, catalog_in, rebuilt_from, same


def test_versions_that_were_replaced_before_history_begins_are_dropped(
    storage: StoragePort, clock: Clock
) -> None:
    catalogs = [catalog_of(package(1, repo_watchers=stars)) for stars in range(30)]
    for catalog in catalogs:
        keep(storage, catalog, clock.moment)
        clock.go(days=1)
    oldest = storage.history.oldest()
    assert oldest is not None
    # The version that was the newest ten days before the last save is the first one that is kept.
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
