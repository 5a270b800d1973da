"""Gives each storage that there is to the tests of what all of them promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import StoragePort
from tests.support.versioned_catalogs import Clock
from tests.support.versions_in_a_storage import DAYS


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
