"""The memory: bounded in time, and in what it holds."""

from __future__ import annotations

from tests.support.batcher_with_held_answers import Clock
from upstream.batching.ttl_cache import TTLCache


def test_a_value_is_kept_for_its_time_and_no_longer() -> None:
    clock = Clock()
    memory: TTLCache[str, int | None] = TTLCache(60, 10, clock)
    memory.remember("nothing", None)
    clock.now = 1000 + 59.9
    assert "nothing" in memory
    assert memory["nothing"] is None
    clock.now = 1000 + 60
    assert "nothing" not in memory
    assert "never seen" not in memory


def test_a_new_value_takes_the_place_and_the_time_of_the_old_one() -> None:
    clock = Clock()
    memory: TTLCache[str, int] = TTLCache(60, 2, clock)
    memory.remember("a", 1)
    clock.now = 1000 + 30
    memory.remember("b", 2)
    clock.now = 1000 + 59
    memory.remember("a", 3)
    clock.now = 1000 + 100
    assert "a" in memory
    assert memory["a"] == 3
    assert "b" not in memory


def test_the_oldest_goes_when_there_are_too_many() -> None:
    memory: TTLCache[int, int] = TTLCache(60, 3, Clock())
    for key in (1, 2, 3, 1, 4):
        memory.remember(key, key)
    assert [key for key in range(5) if key in memory] == [1, 3, 4]


def test_what_has_run_out_takes_no_room_once_something_new_comes() -> None:
    clock = Clock()
    memory: TTLCache[int, int] = TTLCache(60, 1000, clock)
    for key in range(1000):
        memory.remember(key, key)
    assert len(memory) == 1000
    clock.now = 1000 + 60
    memory.remember(1000, 1000)
    assert len(memory) == 1


def test_a_value_counts_as_its_size() -> None:
    memory: TTLCache[str, str] = TTLCache(60, 100, Clock())
    memory.remember("page", "...", size=70)
    memory.remember("record", ".")
    memory.remember("other page", "...", size=30)
    assert "page" not in memory
    assert "record" in memory
    assert "other page" in memory
    memory.remember("other page", "...", size=99)
    assert "record" in memory
    memory.remember("larger than all", "...", size=101)
    assert len(memory) == 0


def test_it_can_be_told_to_forget() -> None:
    memory: TTLCache[str, int] = TTLCache(60, 2, Clock())
    memory.remember("a", 1, size=2)
    memory.forget()
    assert "a" not in memory
    memory.remember("b", 1, size=2)
    assert "b" in memory
