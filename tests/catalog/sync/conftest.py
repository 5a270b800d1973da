"""Gives the tests of the guard one that has let nothing pass yet, and the clock that it reads."""

from __future__ import annotations

import pytest

from catalog.sync.crawl_guard import Guard
from tests.support.batcher_with_held_answers import Clock
from tests.support.settings_for_tests import GUARD_LIMITS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Guard:
    return Guard(GUARD_LIMITS, clock)
