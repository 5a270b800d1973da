"""Tests how many turns the limiter has (contract section 7). ``test_concurrency_limiter_turns`` tests who gets them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from upstream.client.concurrency_limiter import Limiter

QUICK, SLOW, NOMINAL = 0.01, 0.1, 0.01


@asynccontextmanager
async def turns_out(limiter: Limiter, number: int) -> AsyncIterator[AsyncExitStack]:
    """Hold so many turns."""
    async with AsyncExitStack() as stack:
        for _ in range(number):
            await stack.enter_async_context(limiter.turn())
        yield stack


def answers(limiter: Limiter, *seconds: float) -> list[int]:
    """Return the limit after each of these answers."""
    limits = []
    for each in seconds:
        limiter.succeeded(each, NOMINAL)
        limits.append(limiter.limit)
    return limits


def test_it_starts_where_upstream_saturates() -> None:
    assert Limiter().limit == 4


@pytest.mark.parametrize(("lowest", "highest", "start"), [(1, 2, 2), (6, 32, 6), (4, 4, 4), (1, 32, 4)])
def test_it_starts_within_its_bounds(lowest: int, highest: int, start: int) -> None:
    assert Limiter(lowest, highest).limit == start


async def test_from_the_start_it_grows_by_one_for_every_quick_answer_up_to_32() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4) as turns:
        for limit in range(5, 33):
            assert answers(limiter, QUICK) == [limit]
            await turns.enter_async_context(limiter.turn())
        assert answers(limiter, *[QUICK] * 50)[-1] == 32


async def test_it_does_not_grow_while_a_turn_is_left() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 3) as turns:
        assert answers(limiter, *[QUICK] * 50) == [4] * 50
        await turns.enter_async_context(limiter.turn())
        assert answers(limiter, QUICK) == [5]


async def grown_to(limit: int, limiter: Limiter, turns: AsyncExitStack) -> None:
    """Let quick answers come until the limit is this, and hold all turns."""
    while limiter.limit < limit:
        limiter.succeeded(QUICK, NOMINAL)
        await turns.enter_async_context(limiter.turn())


async def test_when_the_first_window_is_slow_it_shrinks_to_as_many_as_upstream_worked_on() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4) as turns:
        await grown_to(20, limiter, turns)  # with 12 on average in flight, in 15 answers of the window
        # Together with 20 in flight for 17 answers of twice the time: (15 * 12 + 17 * 20) / (15 + 34).
        assert answers(limiter, *[QUICK * 2] * 17) == [*[20] * 16, 10]


async def test_after_a_slow_window_it_grows_by_one_with_each_window_of_quick_answers() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4) as turns:
        await grown_to(20, limiter, turns)
        answers(limiter, *[QUICK * 2] * 17)
        grown = answers(limiter, *[QUICK] * 150)
        # The 20 that were in flight when the limit changed do not count, nor those of the next changes.
        assert [grown.count(limit) for limit in (10, 11, 12)] == [51, 52, 47]


async def test_a_window_beyond_the_start_ends_as_soon_as_it_must_be_too_slow() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4) as turns:
        await grown_to(20, limiter, turns)
        answers(limiter, *[QUICK * 2] * 17)
        answers(limiter, *[QUICK] * 20)  # They were in flight when the limit changed, and do not count.
        # Six of 32 that take 2.9 times as long make more than 1.35 on average, whatever the others take.
        assert answers(limiter, *[QUICK * 2.9] * 6) == [*[10] * 5, 6]


async def test_at_the_start_answers_that_are_late_between_quick_ones_do_not_end_its_growth() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4) as turns:
        while limiter.limit < 8:
            limiter.succeeded(QUICK, NOMINAL)
            await turns.enter_async_context(limiter.turn())
        for limit in range(9, 22):  # up to the end of the window
            assert answers(limiter, QUICK * 2.9, QUICK) == [limit - 1, limit]
            await turns.enter_async_context(limiter.turn())


async def test_at_the_start_each_round_of_answers_doubles_it_even_where_nobody_waits_for_the_next() -> None:
    limiter = Limiter()
    for limit in (4, 8, 16):
        async with turns_out(limiter, limit) as turns:
            assert limiter.limit == limit
            for _ in range(limit):
                limiter.succeeded(QUICK, NOMINAL)
            await turns.aclose()
        assert limiter.limit == 2 * limit


async def test_it_does_not_grow_to_more_than_twice_as_many_as_were_out_at_once() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4):
        assert answers(limiter, *[QUICK] * 50) == [5, 6, 7, *[8] * 47]


async def test_a_round_that_did_not_need_all_turns_does_not_grow_it() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4):
        pass
    async with turns_out(limiter, 3):
        assert answers(limiter, *[QUICK] * 3) == [4, 4, 4]


async def test_after_the_start_the_turn_that_it_grew_by_must_be_out_before_it_grows_further() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4):
        limiter.failed()
        assert answers(limiter, *[QUICK] * 100)[-50:] == [5] * 50


async def test_turns_in_the_background_count() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 3), limiter.turn(background=True):
        assert answers(limiter, QUICK) == [5]


async def test_it_grows_up_to_the_highest() -> None:
    limiter = Limiter(highest=5)
    async with turns_out(limiter, 4) as turns:
        answers(limiter, *[QUICK] * 5)
        await turns.enter_async_context(limiter.turn())
        assert answers(limiter, *[QUICK] * 50) == [5] * 50
    assert answers(limiter, SLOW) == [4], "what it did not grow by is not saved up"


# The quickest answer is forgotten by a 500th with each, so the bounds are not met to the last digit.
@pytest.mark.parametrize(("times", "limit"), [(1.0, 3), (1.99, 3), (2.03, 2), (2.98, 2)])
async def test_below_the_start_it_grows_while_answers_take_less_than_twice_the_quickest(
    times: float, limit: int
) -> None:
    limiter = Limiter()
    limiter.failed()
    async with turns_out(limiter, 2):
        limiter.succeeded(QUICK, NOMINAL)
        assert answers(limiter, *[QUICK * times] * 2)[-1] == limit


def test_it_shrinks_by_a_tenth_with_each_answer_of_three_times_the_quickest() -> None:
    limiter = Limiter()
    limiter.succeeded(QUICK, NOMINAL)
    assert answers(limiter, *[QUICK * 3.1] * 7) == [3, 3, 2, 2, 2, 2, 1]


def test_it_shrinks_down_to_the_lowest() -> None:
    limiter = Limiter(lowest=2)
    assert answers(limiter, QUICK, *[SLOW] * 50)[10:] == [2] * 41
    limiter.failed()
    assert limiter.limit == 2


async def test_it_recovers_from_the_lowest() -> None:
    limiter = Limiter()
    assert answers(limiter, QUICK, *[SLOW] * 50)[-1] == 1
    async with turns_out(limiter, 1) as turns:
        assert answers(limiter, QUICK) == [2]
        await turns.enter_async_context(limiter.turn())
        assert answers(limiter, *[QUICK] * 3) == [2, 2, 3]


def test_it_halves_with_each_failure() -> None:
    limiter = Limiter()
    limits = []
    for _ in range(4):
        limiter.failed()
        limits.append(limiter.limit)
    assert limits == [2, 1, 1, 1]


def test_a_failure_does_not_take_it_below_the_lowest() -> None:
    limiter = Limiter(lowest=3)
    limiter.failed()
    assert limiter.limit == 3


async def test_it_grows_again_after_a_failure() -> None:
    limiter = Limiter()
    limiter.failed()
    async with turns_out(limiter, 2):
        assert answers(limiter, *[QUICK] * 3) == [2, 2, 3]


async def test_the_quickest_answer_is_forgotten_within_some_350_answers() -> None:
    limiter = Limiter(highest=2)
    async with turns_out(limiter, 2):
        limiter.succeeded(QUICK, NOMINAL)
        # Too slow at first; when the quickest has doubled, less than twice that.
        limits = answers(limiter, *[QUICK * 3.5] * 351)
    assert limits[20:270] == [1] * 250
    assert limits[350] == 2


def test_an_answer_is_compared_by_its_nominal_time() -> None:
    limiter = Limiter()
    limiter.succeeded(0.017, nominal=0.017)
    limiter.succeeded(0.031, nominal=0.031)  # between the same powers of two, and just as quick
    limiter.succeeded(0.031 * 2.9, nominal=0.031)
    assert limiter.limit == 4
    limiter.succeeded(0.025 * 3.1, nominal=0.025)  # the first of just this size
    assert limiter.limit == 3


@pytest.mark.parametrize("other", [0.4, 0.16, 0.04, 0.01, 0.009])
def test_answers_of_different_sizes_are_not_compared(other: float) -> None:
    limiter = Limiter()
    for _ in range(3):
        limiter.succeeded(other, nominal=other)
        limiter.succeeded(0.2, nominal=0.02)  # ten times its nominal time, as a network can have it
    assert limiter.limit == 4
    limiter.succeeded(0.61, nominal=0.02)
    assert limiter.limit == 3


async def test_an_answer_too_quick_for_the_clock_says_nothing() -> None:
    limiter = Limiter()
    async with turns_out(limiter, 4):
        assert answers(limiter, 0.0, QUICK, 0.0, QUICK) == [4, 5, 5, 6]


def test_answers_of_different_sorts_are_not_compared() -> None:
    limiter = Limiter()
    limiter.succeeded(0.002, 0.04, "search")
    for _ in range(50):
        limiter.succeeded(0.04, 0.04, "packages page")
    assert limiter.limit == 4
