"""One gateway crawls, by a lease on a Valkey server; one that has lost it cannot store what it crawled."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.storage.storage_port import StoragePort
from sharing.valkey_connection import PREFIX
from tests.support.gateway_processes import until
from tests.support.made_records import catalog_of, package
from tests.support.valkey_servers import ValkeyServer, storage_on
from tests.support.versioned_catalogs import Clock, keep
from tests.support.versions_in_a_storage import catalog_in
from upstream.client import StorageAway

ROOT = Path(__file__).parents[3]
OLD, NEW, NEWER = catalog_of(package(1)), catalog_of(package(2)), catalog_of(package(3))

TAKE_AND_SAVE_WHEN_TOLD = """
import sys
from tests.support.made_records import catalog_of, package
from tests.support.valkey_servers import storage_on
from tests.support.versioned_catalogs import Clock, keep
from upstream.client import StorageUnavailable
with storage_on(sys.argv[1]) as storage:
    print(storage.take_lease("one", 1), flush=True)
    sys.stdin.readline()
    try:
        keep(storage, catalog_of(package(1)), Clock().moment)
        print("stored", flush=True)
    except StorageUnavailable as error:
        print(error, flush=True)
"""


def token(server: ValkeyServer) -> int:
    value = server.client.get(f"{PREFIX}:token")
    assert value is not None
    return int(value)


def test_one_holds_it_and_renews_it_until_it_drops_it(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        assert one.take_lease("one", 600)
        first = token(valkey)
        assert not other.take_lease("other", 600)
        assert one.take_lease("one", 600)
        assert token(valkey) == first
        other.drop_lease("other")
        assert not other.take_lease("other", 600)
        one.drop_lease("one")
        assert other.take_lease("other", 600)
        assert token(valkey) > first


def test_the_server_ends_it_after_its_time(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        assert one.take_lease("one", 60)
        assert 0 < valkey.client.pttl(f"{PREFIX}:lease") <= 60_000
        valkey.client.pexpire(f"{PREFIX}:lease", 1)
        until(lambda: other.take_lease("other", 600))
        assert not one.take_lease("one", 600)


def test_tokens_grow_even_if_the_server_has_lost_the_last(valkey: ValkeyServer) -> None:
    tokens = []
    with storage_on(valkey.url) as storage:
        for holder in ("one", "other", "one"):
            assert storage.take_lease(holder, 600)
            tokens.append(token(valkey))
            valkey.client.flushall()
            time.sleep(0.002)
    assert tokens == sorted(set(tokens))


def lost(one: StoragePort, other: StoragePort) -> None:
    """Let the lease move from one to the other."""
    assert one.take_lease("one", 600)
    one.drop_lease("one")
    assert other.take_lease("other", 600)


REFUSED = r"another gateway has taken over the crawl, so what this one read is not stored\."


def test_a_crawl_is_not_stored_by_one_that_has_lost_the_lease(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        lost(one, other)
        # This holds whether or not the leader has stored anything.
        with pytest.raises(StorageAway, match=REFUSED):
            keep(one, OLD, Clock().moment)
        keep(other, NEW, Clock().moment)
        with pytest.raises(StorageAway, match=REFUSED):
            keep(one, OLD, Clock().moment)
        assert not one.take_lease("one", 600)
        with pytest.raises(StorageAway, match=REFUSED):
            keep(one, OLD, Clock().moment)
        assert catalog_in(one.load()).version == NEW.version


def test_one_that_never_had_the_lease_stores_no_crawl(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        assert other.take_lease("other", 600)
        assert not one.take_lease("one", 600)
        with pytest.raises(StorageAway, match=REFUSED):
            keep(one, OLD, Clock().moment)


def test_a_crawl_by_hand_is_stored_without_a_lease(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as by_hand, storage_on(valkey.url) as leader:
        assert leader.take_lease("leader", 600)
        keep(by_hand, NEW, Clock().moment)
        keep(leader, NEWER, Clock().moment)
        assert catalog_in(by_hand.load()).version == NEWER.version


def test_a_leader_that_was_stopped_for_longer_than_its_lease_cannot_store(valkey: ValkeyServer) -> None:
    command = [sys.executable, "-c", TAKE_AND_SAVE_WHEN_TOLD, valkey.url]
    with (
        storage_on(valkey.url) as other,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as leader,
    ):
        assert leader.stdout is not None
        assert leader.stdin is not None
        assert leader.stdout.readline() == "True\n"
        leader.send_signal(signal.SIGSTOP)
        try:
            leader.stdin.write("save\n")
            leader.stdin.flush()
            until(lambda: other.take_lease("other", 600))
        finally:
            leader.send_signal(signal.SIGCONT)
        assert leader.communicate(timeout=60)[0] == (
            f"The storage {valkey.url} cannot be used: another gateway has taken over the crawl, so what this one read "
            "is not stored.\n"
        )
        assert other.saved() is None
        keep(other, NEW, Clock().moment)
