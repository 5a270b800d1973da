"""Gives the tests of upstream a batcher over an upstream whose answers they can hold back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.batcher_with_held_answers import HeldBatcher, held_batcher
from upstream.embedded import EmbeddedUpstream


@pytest.fixture
async def held(embedded: EmbeddedUpstream) -> AsyncIterator[HeldBatcher]:
    """Return a batcher over an upstream of 300 packages, whose list positions it does not know."""
    async with held_batcher(embedded) as held:
        yield held
