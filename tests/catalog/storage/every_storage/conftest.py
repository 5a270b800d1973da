"""Gives every kind of storage to the tests of what all of them promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import StoragePort
from tests.support.valkey_servers import ValkeyServer, storage_on
from tests.support.versioned_catalogs import Clock
from tests.support.versions_in_a_storage import DAYS


def in_a_file(path: Path, server: ValkeyServer, clock: Clock) -> AbstractContextManager[StoragePort]:
    return closing(Storage(str(path), DAYS, clock))


def in_memory(path: Path, server: ValkeyServer, clock: Clock) -> AbstractContextManager[StoragePort]:
    return closing(Storage(":memory:", DAYS, clock))


@contextmanager
def on_valkey(path: Path, server: ValkeyServer, clock: Clock) -> Iterator[StoragePort]:
    with storage_on(server.url, DAYS, clock) as storage:
        yield storage


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[in_a_file, in_memory, on_valkey])
def storage(
    request: pytest.FixtureRequest, path: Path, clock: Clock, valkey: ValkeyServer
) -> Iterator[StoragePort]:
    """Return each kind of storage, with the clock of the test and a history of ten days."""
    with request.param(path, valkey, clock) as storage:
        yield storage
