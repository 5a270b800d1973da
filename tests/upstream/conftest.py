"""The catalog file of the tests of the storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from upstream.storage import Storage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def storage(path: Path) -> Iterator[Storage]:
    with closing(Storage(str(path))) as storage:
        yield storage
