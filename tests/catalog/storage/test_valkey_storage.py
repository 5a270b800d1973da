"""Tests the storage on a Valkey server: several processes share it, it stays small, and it survives a loss."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest

from catalog.storage.replicated_tables import MAX_PAST
from catalog.storage.valkey_storage import ValkeyStorage
from sharing.replication_log import MAX_CHANGES
from sharing.valkey_connection import PREFIX
from tests.support.gateway_processes import until
from tests.support.made_records import catalog_of, package
from tests.support.valkey_servers import ValkeyServer, storage_on, valkey_server
from tests.support.versioned_catalogs import Clock, keep, keep_versions
from tests.support.versions_in_a_storage import catalog_in, same, told, version_of
from upstream.client import StorageAway


def keys(server: ValkeyServer) -> list[str]:
    found: list[bytes] = list(server.client.scan_iter())
    return sorted(key.decode().removeprefix(f"{PREFIX}:") for key in found)


def test_what_one_process_stores_another_finds(valkey: ValkeyServer) -> None:
    clock = Clock()
    with storage_on(valkey.url, now=clock) as one, storage_on(valkey.url, now=clock) as other:
        catalogs = keep_versions(one, clock, 5, Random(1))
        assert same(catalog_in(other.load()), catalogs[-1])
        assert other.saved() == one.saved()
        assert other.history.versions(limit=9) == one.history.versions(limit=9)
        assert other.changes(0, 999) == one.changes(0, 999)
        other.history.pin(version_of(other, catalogs[0]))
        assert one.history.pinned() is None  # until it looks
        one.saved()
        assert one.history.pinned() == other.history.pinned()
        # Each goes on from what the other has written.
        clock.go(hours=1)
        keep(other, catalog_of(package(77)), clock.moment)
        one.history.unpin()
        assert catalog_in(one.load()).packages.keys() == {77}
        assert one.history.versions(limit=1)[0].number == 6


def change_often(storage: ValkeyStorage, times: int) -> None:
    """Change something small so many times."""
    for number in range(times):
        with storage.history._writer.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO records VALUES ('guard', 9, ?)", (str(number),))


def test_a_process_that_begins_later_takes_the_snapshot_and_what_came_behind_it(valkey: ValkeyServer) -> None:
    clock = Clock()
    with storage_on(valkey.url, now=clock) as one:
        keep_versions(one, clock, 10, Random(2))
        change_often(one, MAX_CHANGES - 12)
        keep(one, catalog_of(package(9), package(1)), clock.go(hours=1))
        assert len(keys(valkey)) == MAX_CHANGES
        for id in range(3):
            keep(one, catalog_of(package(9), package(id)), clock.go(hours=1))
        # What a snapshot covers is gone; the log has the rest.
        behind = [f"changes:{number}" for number in (MAX_CHANGES + 1, MAX_CHANGES + 2)]
        assert keys(valkey) == [*behind, f"snapshot:{MAX_CHANGES}", "state"]
        with storage_on(valkey.url, now=clock) as other:
            assert other.load() == one.load()
            assert other.history.versions(limit=99) == one.history.versions(limit=99)
            assert other.changes(0, 999) == one.changes(0, 999)
            version = one.history.versions(limit=99)[-1]
            assert other.history.way_back(version) == one.history.way_back(version)


def test_a_server_gets_all_back_however_much_there_was(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as storage:
        keep(storage, catalog_of(package(1)), Clock().moment)
        change_often(storage, MAX_PAST + 1)
        valkey.client.flushall()
        assert storage.saved() is not None
        assert catalog_in(storage.load()).packages.keys() == {1}


def test_two_that_write_at_the_same_time_do_not_mix(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        keep(one, catalog_of(package(1)), Clock().moment)
        keep(other, catalog_of(package(1), package(2)), Clock().moment)
        refusal = r"cannot be used: another process has written to it at the same time; try again\."

        def write_too_late() -> None:
            with one.history._writer.writing() as connection:
                connection.execute("DELETE FROM records")
                keep(other, catalog_of(package(3)), Clock().moment)

        with pytest.raises(StorageAway, match=refusal):
            write_too_late()
        assert catalog_in(one.load()).packages.keys() == {3}


def test_a_server_that_has_lost_all_gets_it_back_from_whoever_has_it(valkey: ValkeyServer) -> None:
    clock = Clock()
    with storage_on(valkey.url, now=clock) as one, storage_on(valkey.url, now=clock) as other:
        catalogs = keep_versions(one, clock, 5, Random(3))
        one.history.pin(version_of(one, catalogs[2]))
        other.saved()
        valkey.client.flushall()
        saved = other.saved()
        assert saved == one.saved()
        with storage_on(valkey.url, now=clock) as third:
            assert third.saved() == saved
            assert third.history.pinned() == one.history.pinned()
            assert third.changes(0, 999) == one.changes(0, 999)
            keep(third, catalog_of(package(9)), clock.go(hours=1))
        assert catalog_in(one.load()).packages.keys() == {9}
        assert keys(valkey) == ["changes:7", "snapshot:6", "state"]


def test_a_server_that_has_lost_the_newest_gets_it_back(valkey: ValkeyServer) -> None:
    clock = Clock()
    with storage_on(valkey.url, now=clock) as one, storage_on(valkey.url, now=clock) as other:
        keep(one, catalog_of(package(1)), clock.moment)
        other.saved()
        before = {key: valkey.client.dump(key) for key in valkey.client.scan_iter()}
        keep(one, catalog_of(package(2)), clock.go(hours=1))
        other.saved()
        valkey.client.flushall()
        for key, value in before.items():
            assert value is not None
            valkey.client.restore(key, 0, value)
        assert one.saved() == other.saved()
        assert catalog_in(other.load()).packages.keys() == {2}
        with storage_on(valkey.url, now=clock) as third:
            assert catalog_in(third.load()).packages.keys() == {2}


def test_what_others_stored_after_a_loss_wins_over_what_was_lost(valkey: ValkeyServer) -> None:
    clock = Clock()
    with storage_on(valkey.url, now=clock) as one:
        keep(one, catalog_of(package(1)), clock.moment)
        keep(one, catalog_of(package(2)), clock.go(hours=1))
        valkey.client.flushall()
        with storage_on(valkey.url, now=clock) as other:
            for id in (3, 4, 5):
                keep(other, catalog_of(package(id)), clock.go(hours=1))
            assert one.saved() == other.saved()
            assert catalog_in(one.load()).packages.keys() == {5}
            assert told(one, 0) == told(other, 0)


def test_reading_goes_on_without_the_server() -> None:
    clock = Clock()
    with valkey_server() as server, storage_on(server.url, now=clock) as storage:
        catalogs = keep_versions(storage, clock, 3, Random(4))
        feed = storage.changes(0, 999)
        server.kill()
        with pytest.raises(
            StorageAway, match=r"The storage valkey://127\.0\.0\.1:\d+/0 cannot be used: the server"
        ):
            storage.saved()
        assert storage.changes(0, 999) == feed
        assert len(storage.history.versions(limit=9)) == 3
        with pytest.raises(StorageAway):
            keep(storage, catalog_of(package(9)), clock.moment)
        server.start()
        clock.go(hours=1)

        def stored() -> bool:
            with suppress(StorageAway):  # it is left alone for a while
                keep(storage, catalog_of(package(9)), clock.moment)
                return True
            return False

        until(stored)
        assert storage.changes(0, 999).last > feed.last
        assert storage.history.at(clock.moment - timedelta(minutes=1)).version == catalogs[-1].version
