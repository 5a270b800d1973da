"""Tests when exactly an overload begins and ends, by the counts of the operations that come and end."""

from __future__ import annotations

import pytest

from gateway.queue_wait_limit import SHORTEST, WEIGHT, QueueWaitLimit


class Clock:
    """Shows the seconds that it is set to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_pause_is_no_part_of_the_mean_time_of_an_operation() -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    for clock.seconds, others in ((0, 1), (0.5, 0), (10, 1), (10.5, 0), (20, 0), (30, 3)):
        limit.ended(others)
    # Two operations of half a second ended while there were others.
    assert limit.each == pytest.approx(0.5 * (1 - (1 - WEIGHT) ** 2))


def test_an_overload_begins_when_an_operation_has_waited_for_the_whole_time_in_vain() -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    clock.seconds = 5
    # The timer of one that came in an overload, which is over, was shorter.
    assert (limit.was_late(since=4.2), limit.is_overloaded, limit.seconds()) == (False, False, 1)
    assert (limit.was_late(since=4), limit.is_overloaded, limit.seconds()) == (True, True, SHORTEST)
    assert not limit.was_late(since=4)
    assert (limit.is_over(since=5 - SHORTEST - 0.001), limit.is_over(since=5 - SHORTEST + 0.001)) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("came", "after", "is_overloaded"), [(12, 1, True), (12, 1.9, True), (11, 1, False), (11, 0.9, True)]
)
def test_an_overload_ends_after_a_period_in_which_hardly_more_came_than_ended(
    came: int, after: float, is_overloaded: bool
) -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    clock.seconds = 5
    limit.was_late(since=4)
    for _ in range(came):
        limit.came(waiting=50)
    for _ in range(10):
        limit.ended(others=50)
    clock.seconds += after
    assert not limit.came(waiting=50)
    assert limit.is_overloaded is is_overloaded


def pass_period(limit: QueueWaitLimit, clock: Clock, came: int, seconds: float, waiting: int = 50) -> bool:
    """Let so many operations come, and ten end, in so many seconds. Return whether an overload has begun."""
    begun = [limit.came(waiting) for _ in range(came)]
    for _ in range(10):
        limit.ended(others=0)
    clock.seconds += seconds
    return any(begun)


@pytest.mark.parametrize(
    ("came", "seconds", "waiting", "begins"),
    [
        (16, 0.06, 50, [False, False, False, True]),
        (15, 0.06, 50, [False] * 4),
        # After a pause, the counts say nothing.
        (16, 0.11, 50, [False] * 4),
        # Who comes would wait for a moment only.
        (16, 0.06, 19, [False] * 4),
    ],
)
def test_an_overload_begins_when_the_queue_has_grown_fast_for_three_periods(
    came: int, seconds: float, waiting: int, begins: list[bool]
) -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    limit.each = 0.001
    assert [pass_period(limit, clock, came, seconds, waiting) for _ in begins] == begins
    assert limit.is_overloaded is begins[-1]


def test_an_overload_is_doubted_later_each_time_and_then_tried_for_some_periods() -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    lasted = []
    for _ in range(4):
        began = clock.seconds
        assert limit.was_late(since=began - 1)
        while limit.is_overloaded:
            pass_period(limit, clock, 12, 1)
            limit.came(waiting=50)
        lasted.append(clock.seconds - began)
    assert lasted == [2, 8, 16, 16]
    tried = []
    for _ in range(2):
        tried.append(limit.newest_first())
        clock.seconds += 0.4
    assert tried == [True, False]


def test_an_overload_ends_without_doubt_in_a_pause() -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    assert limit.was_late(since=-1)
    pass_period(limit, clock, 12, 2)
    limit.came(waiting=50)
    assert (limit.is_overloaded, limit.newest_first()) == (False, False)


def test_an_operation_waits_too_long_only_in_an_overload_and_behind_some_others() -> None:
    clock = Clock()
    limit = QueueWaitLimit(1, clock)
    limit.each = 0.5
    assert not limit.is_too_long(100)
    assert not limit.is_over(since=-100)
    limit.was_late(since=-1)
    assert [limit.is_too_long(waiting) for waiting in (3, 4)] == [False, True]
    assert limit.is_over(since=-100)
