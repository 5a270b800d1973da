"""Gives the tests of the catalog a file to keep one in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from catalog.storage.sqlite_storage import Storage

IN_MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return an empty folder, in memory where the system has that: a disk takes most of the time of tests that write
    catalogs, and none of them is about what is left when the power fails."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the catalog file."""
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def storage(path: Path) -> Iterator[Storage]:
    with closing(Storage(str(path))) as storage:
        yield storage
