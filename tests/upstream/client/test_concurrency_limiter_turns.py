"""The limiter's turns: who is given one, and that none is lost or given twice."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from upstream.client.concurrency_limiter import Limiter

QUICK, SLOW, NOMINAL = 0.01, 0.1, 0.01


class Guest:
    """Someone who waits for a turn, has it at some time, and leaves when told to."""

    def __init__(self, limiter: Limiter, *, background: bool = False) -> None:
        self._turn = limiter.turn(background=True) if background else limiter.turn()
        self._arriving = asyncio.ensure_future(self._turn.__aenter__())

    @property
    def has_turn(self) -> bool:
        return self._arriving.done() and not self._arriving.cancelled()

    def give_up(self) -> None:
        self._arriving.cancel()

    async def leave(self) -> None:
        """End the turn. The next in line is given it before this returns, but learns of it later."""
        assert self.has_turn
        await self._turn.__aexit__(None, None, None)


async def settle() -> None:
    """Let everyone learn what has happened: a turn that is handed on takes two rounds of the loop."""
    for _ in range(6):
        await asyncio.sleep(0)


async def guests(limiter: Limiter, number: int, *, background: bool = False) -> list[Guest]:
    """Make so many guests, who arrive in this order."""
    arrived = [Guest(limiter, background=background) for _ in range(number)]
    await settle()
    return arrived


def have_turns(crowd: list[Guest]) -> list[bool]:
    return [guest.has_turn for guest in crowd]


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


class Turns(RuleBasedStateMachine):
    """Guests come, go and give up in any order, while the limit moves; a model says whose turn it is."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.limiter = Limiter(highest=6)
        self.holding: list[Guest] = []
        self.waiting: list[Guest] = []
        self.waiting_in_background: list[Guest] = []
        self.gone: list[Guest] = []
        self.passed_over = 0

    def give_turns(self) -> list[Guest]:
        """Give the turns that are free as the model does."""
        before = len(self.holding)
        while len(self.holding) < self.limiter.limit:
            background = self.waiting_in_background
            if background and (not self.waiting or self.passed_over == 3):
                self.passed_over = 0
                self.holding.append(background.pop(0))
            elif self.waiting:
                self.passed_over += bool(background)
                self.holding.append(self.waiting.pop(0))
            else:
                break
        return self.holding[before:]

    async def end_a_turn(self, which: int) -> list[Guest]:
        """Give the turn that ended to the next guest."""
        await self.holding.pop(which % len(self.holding)).leave()
        return self.give_turns()

    @rule(background=st.booleans())
    def someone_arrives(self, background: bool) -> None:
        async def arrive() -> Guest:
            return Guest(self.limiter, background=background)

        queue = self.waiting_in_background if background else self.waiting
        queue.append(self.runner.run(arrive()))
        self.give_turns()

    @precondition(lambda self: self.holding)
    @rule(which=st.integers(0, 100), next_gives_up=st.booleans())
    def someone_leaves(self, which: int, next_gives_up: bool) -> None:
        async def leave() -> None:
            given = await self.end_a_turn(which)
            for guest in given if next_gives_up else ():
                guest.give_up()  # before it knows that it has the turn
                self.holding.remove(guest)
                self.gone.append(guest)

        self.runner.run(leave())
        self.give_turns()

    @precondition(lambda self: self.waiting or self.waiting_in_background)
    @rule(which=st.integers(0, 100), another_leaves=st.booleans())
    def someone_gives_up(self, which: int, another_leaves: bool) -> None:
        async def give_up() -> None:
            queue = self.waiting if which % 2 and self.waiting else self.waiting_in_background or self.waiting
            guest = queue.pop(which % len(queue))
            self.gone.append(guest)
            guest.give_up()
            if another_leaves:
                await self.end_a_turn(which)  # before the other knows that it has given up

        self.runner.run(give_up())

    @rule(seconds=st.sampled_from([QUICK, SLOW]), times=st.integers(1, 4))
    def answers_come(self, seconds: float, times: int) -> None:
        for _ in range(times):
            self.limiter.succeeded(seconds, NOMINAL)
            self.give_turns()

    @rule()
    def a_request_fails(self) -> None:
        self.limiter.failed()

    @invariant()
    def those_and_only_those_have_turns_whose_turn_it_is(self) -> None:
        self.runner.run(settle())
        assert all(have_turns(self.holding))
        assert not any(have_turns(self.waiting + self.waiting_in_background + self.gone))
        assert self.limiter.in_flight == len(self.holding)
        assert 1 <= self.limiter.limit <= 6

    def teardown(self) -> None:
        self.runner.close()


def test_every_turn_goes_to_whom_it_is_due_whatever_happens() -> None:
    run_state_machine_as_test(
        Turns, settings=settings(max_examples=50, stateful_step_count=25, deadline=None)
    )
