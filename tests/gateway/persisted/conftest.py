"""Provides the place of a manifest, for the tests of the documents in it, and a small upstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with a few packages, because their number changes nothing here."""
    return generated_upstream(20)
