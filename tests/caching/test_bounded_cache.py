"""The mapping behind all caches is bounded by entries, by size and by age, and forgets what was used longest ago."""

from __future__ import annotations

from typing import Any

import pytest

from caching import BoundedCache
from tests.support.batcher_with_held_answers import Clock


def minute(clock: Clock, size: int = 1000) -> BoundedCache[str, int | None]:
    return BoundedCache(size=size, seconds=60, clock=clock)


def test_a_value_is_kept_for_its_time_and_no_longer() -> None:
    clock = Clock()
    cache = minute(clock)
    cache.put("nothing", None)
    cache.put("one", 1)
    clock.now = 1000 + 59.9
    assert "nothing" in cache
    assert cache.get("nothing") is None
    assert (cache.get("one"), cache.peek("one")) == (1, 1)
    clock.now = 1000 + 60
    assert "nothing" not in cache
    assert (cache.get("one"), cache.peek("one"), cache.pop("one")) == (None, None, None)
    assert "never seen" not in cache


def test_a_use_does_not_make_a_value_younger() -> None:
    clock = Clock()
    cache = minute(clock)
    cache.put("a", 1)
    clock.now = 1000 + 59
    assert cache.get("a") == 1
    clock.now = 1000 + 60
    assert cache.get("a") is None


def test_a_new_value_takes_the_place_and_the_time_of_the_old_one() -> None:
    clock = Clock()
    cache = minute(clock, 2)
    cache.put("a", 1)
    clock.now = 1000 + 30
    cache.put("b", 2)
    clock.now = 1000 + 59
    cache.put("a", 3)
    clock.now = 1000 + 100
    assert cache.get("a") == 3
    assert "b" not in cache
    assert (len(cache), cache.size) == (2, 2)


def test_what_was_used_longest_ago_goes_when_there_are_too_many() -> None:
    cache: BoundedCache[int, int] = BoundedCache(entries=3)
    for key in (1, 2, 3):
        cache.put(key, key)
    assert cache.get(1) == 1
    assert 2 in cache
    assert cache.peek(2) == 2
    cache.put(4, 4)
    assert [key for key in range(5) if key in cache] == [1, 3, 4]


def test_what_has_run_out_takes_no_room_once_something_new_comes() -> None:
    clock = Clock()
    cache: BoundedCache[int, int] = BoundedCache(entries=1000, seconds=60, clock=clock)
    for key in range(1000):
        cache.put(key, key)
    assert len(cache) == 1000
    clock.now = 1000 + 60
    cache.put(1000, 1000)
    assert (len(cache), cache.size) == (1, 1)


def test_a_value_counts_as_its_size() -> None:
    cache: BoundedCache[str, str] = BoundedCache(size=100)
    cache.put("page", "...", size=70)
    cache.put("record", ".")
    cache.put("other page", "...", size=30)
    assert "page" not in cache
    assert "record" in cache
    assert "other page" in cache
    assert cache.size == 31


def test_a_value_that_is_larger_than_all_room_drives_nothing_out() -> None:
    cache: BoundedCache[str, str] = BoundedCache(size=100)
    cache.put("small", ".", size=60)
    cache.put("large", "...", size=101)
    assert "small" in cache
    assert "large" not in cache
    cache.put("small", "...", size=101)
    assert (len(cache), cache.size) == (0, 0)


def test_what_is_taken_out_takes_no_room() -> None:
    cache: BoundedCache[str, str] = BoundedCache(size=100)
    cache.put("a", ".", size=60)
    cache.put("b", ".", size=40)
    assert cache.pop("a") == "."
    assert cache.pop("a") is None
    assert (len(cache), cache.size) == (1, 40)
    cache.clear()
    assert (len(cache), cache.size) == (0, 0)


@pytest.mark.parametrize(
    "bounds", [{"seconds": 60}, {"entries": 0}, {"size": 0}, {"entries": 1, "seconds": 0}]
)
def test_nobody_makes_one_without_a_bound_or_without_room(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs a bound"):
        BoundedCache(**bounds)
