"""What the tests of the upstream room stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.batcher_with_held_answers import Stage, staged
from upstream.embedded import EmbeddedUpstream
from upstream.storage import Storage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The catalog file."""
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def storage(path: Path) -> Iterator[Storage]:
    with closing(Storage(str(path))) as storage:
        yield storage


@pytest.fixture
async def stage(embedded: EmbeddedUpstream) -> AsyncIterator[Stage]:
    """A batcher over an upstream of 300 packages, whose places it does not know."""
    async with staged(embedded) as stage:
        yield stage
