"""Tests that the storage takes bounded room on a Valkey server, because it deletes what no history needs."""

from __future__ import annotations

from random import Random

from sharing.replication_log import MIN_BYTES
from tests.support.made_records import catalog_of, package
from tests.support.valkey_servers import ValkeyServer, storage_on
from tests.support.versioned_catalogs import Clock, keep
from tests.support.versions_in_a_storage import DAYS


def test_the_log_is_never_much_larger_than_its_snapshot(valkey: ValkeyServer) -> None:
    clock, draw = Clock(), Random(1)
    snapshots = []
    with storage_on(valkey.url, DAYS, clock) as storage:
        for _ in range(25):
            # What cannot be compressed, 90 KB in each version.
            texts = [draw.randbytes(1500).hex() for _ in range(60)]
            catalog = catalog_of(*(package(id, repo_description=text) for id, text in enumerate(texts, 1)))
            keep(storage, catalog, clock.go(days=1))
            sizes = {key: valkey.client.strlen(key) for key in valkey.client.scan_iter(_type="string")}
            snapshots.append(sum(size for key, size in sizes.items() if b":snapshot:" in key))
            changes = sum(size for key, size in sizes.items() if b":changes:" in key)
            assert changes <= max(snapshots[-1], MIN_BYTES)
    # One at a time, and it was replaced.
    assert len({size for size in snapshots if size}) >= 2
    assert len([key for key in sizes if b":snapshot:" in key]) == 1
