"""Gives the tests of the catalog a file to keep one in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the catalog file."""
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def storage(path: Path) -> Iterator[Storage]:
    with closing(Storage(str(path))) as storage:
        yield storage
