"""Provides the place of a manifest, for the tests of the documents in it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"
