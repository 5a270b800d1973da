"""Tests that the history without a file, which random operations use, is read as a stored one is."""

from __future__ import annotations

from inspect import signature

import pytest

from catalog.storage.storage_port import HistoryPort
from tests.support.made_history import MadeHistory

METHODS = [name for name in vars(MadeHistory) if not name.startswith("_") and name in vars(HistoryPort)]


@pytest.mark.parametrize("name", METHODS)
def test_a_made_history_takes_what_a_stored_one_takes(name: str) -> None:
    assert signature(getattr(MadeHistory, name)) == signature(getattr(HistoryPort, name))
