"""Tests the limiter's turns: who is given one, and that none is lost or given twice."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.limiter_guests import guests, have_turns, settle
from upstream.client.concurrency_limiter import Limiter

QUICK, SLOW, NOMINAL = 0.01, 0.1, 0.01


async def test_a_turn_is_out_while_it_is_held() -> None:
    limiter = Limiter()
    assert limiter.in_flight == 0
    async with limiter.turn(), limiter.turn(background=True):
        assert limiter.in_flight == 2
    assert limiter.in_flight == 0
    with pytest.raises(LookupError):
        async with limiter.turn():
            raise LookupError
    assert limiter.in_flight == 0


async def test_no_more_turns_are_out_than_the_limit() -> None:
    limiter = Limiter()
    crowd = await guests(limiter, 6)
    assert have_turns(crowd) == [True] * 4 + [False] * 2
    assert limiter.in_flight == 4


async def test_a_cancelled_holder_gives_its_turn_to_the_next() -> None:
    limiter = Limiter(highest=1)

    async def hold() -> None:
        async with limiter.turn():
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await settle()
    (waiter,) = await guests(limiter, 1)
    assert not waiter.has_turn
    holder.cancel()
    await settle()
    assert holder.cancelled()
    assert waiter.has_turn


async def test_whoever_waits_longest_is_next() -> None:
    limiter = Limiter(highest=1)
    crowd = await guests(limiter, 4)
    for served in range(4):
        assert have_turns(crowd) == [number <= served for number in range(4)]
        await crowd[served].leave()
        await settle()
    assert limiter.in_flight == 0


async def test_a_newcomer_does_not_overtake_whoever_has_just_been_given_a_turn() -> None:
    limiter = Limiter(highest=1)
    holder, waiter = await guests(limiter, 2)
    await holder.leave()
    (newcomer,) = await guests(limiter, 1)
    assert have_turns([waiter, newcomer]) == [True, False]


@pytest.mark.parametrize("at_a_time", [1, 4])
async def test_one_turn_in_four_is_the_backgrounds(at_a_time: int) -> None:
    limiter = Limiter(highest=at_a_time)
    holders = await guests(limiter, at_a_time)
    crawl = await guests(limiter, 3, background=True)
    users = await guests(limiter, 7)
    order = [*holders, *users[:3], crawl[0], *users[3:6], crawl[1], users[6], crawl[2]]
    for served in range(len(order)):
        assert have_turns(order) == [number < served + at_a_time for number in range(len(order))]
        await order[served].leave()
        await settle()


async def test_turns_before_the_background_wanted_one_do_not_count() -> None:
    limiter = Limiter(highest=1)
    order = await guests(limiter, 6)
    for served in range(5):
        await order[served].leave()
        await settle()
    crawl = await guests(limiter, 1, background=True)
    users = await guests(limiter, 3)
    await order[5].leave()
    await settle()
    assert have_turns([*crawl, *users]) == [False, True, False, False]


async def test_the_background_takes_the_turns_that_are_left_and_keeps_them() -> None:
    limiter = Limiter(highest=2)
    *crawl, crawl_waits = await guests(limiter, 3, background=True)
    (user,) = await guests(limiter, 1)
    assert have_turns([*crawl, crawl_waits, user]) == [True, True, False, False]
    await crawl.pop().leave()
    await settle()
    assert have_turns([*crawl, crawl_waits, user]) == [True, False, True]


@pytest.mark.parametrize("background", [False, True])
async def test_whoever_gives_up_waiting_is_passed_over(background: bool) -> None:
    limiter = Limiter(highest=1)
    holder, leaver, next_one = await guests(limiter, 3, background=background)
    leaver.give_up()
    await settle()
    assert limiter.in_flight == 1
    await holder.leave()
    await settle()
    assert have_turns([leaver, next_one]) == [False, True]
    assert limiter.in_flight == 1


@pytest.mark.parametrize("background", [False, True])
async def test_a_turn_is_handed_on_when_its_waiter_has_gone(background: bool) -> None:
    limiter = Limiter(highest=1)
    holder, leaver, next_one = await guests(limiter, 3, background=background)
    await holder.leave()
    leaver.give_up()  # it has been given the turn, and does not know it yet
    await settle()
    assert have_turns([leaver, next_one]) == [False, True]
    assert limiter.in_flight == 1


async def test_a_turn_of_a_user_who_has_gone_is_handed_on_to_the_background() -> None:
    limiter = Limiter(highest=1)
    holder, user = await guests(limiter, 2)
    (crawl,) = await guests(limiter, 1, background=True)
    await holder.leave()
    user.give_up()
    await settle()
    assert have_turns([user, crawl]) == [False, True]


async def test_no_turn_is_lost_when_all_who_wait_have_gone() -> None:
    limiter = Limiter(highest=1)
    holder, first, second = await guests(limiter, 3)
    second.give_up()
    await holder.leave()
    first.give_up()
    await settle()
    assert limiter.in_flight == 0
    (newcomer,) = await guests(limiter, 1)
    assert newcomer.has_turn


async def test_a_time_limit_on_waiting_loses_no_turn() -> None:
    limiter = Limiter(highest=1)
    (holder,) = await guests(limiter, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), limiter.turn():
            pytest.fail("there was no turn left")
    await holder.leave()
    assert limiter.in_flight == 0


async def test_a_turn_that_it_grows_by_is_given_at_once() -> None:
    limiter = Limiter()
    *holders, waiter = await guests(limiter, 5)
    while limiter.limit == 4:
        limiter.succeeded(QUICK, NOMINAL)
    await settle()
    assert have_turns([*holders, waiter]) == [True] * 5


async def test_turns_that_are_out_stay_out_when_it_shrinks() -> None:
    limiter = Limiter()
    *holders, waiter = await guests(limiter, 5)
    limiter.failed()
    assert (limiter.limit, limiter.in_flight) == (2, 4)
    for still_out, given in [(3, False), (2, False), (2, True)]:
        await holders.pop().leave()
        await settle()
        assert (limiter.in_flight, waiter.has_turn) == (still_out, given)
