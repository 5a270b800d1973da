"""Tests the limiter against a model: whatever guests do, in any order, those have turns whose turn it is."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.limiter_guests import Guest, have_turns, settle
from tests.support.numbers_of_examples import examples
from upstream.client.concurrency_limiter import Limiter

QUICK, SLOW, NOMINAL = 0.01, 0.1, 0.01


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
        Turns, settings=settings(max_examples=examples(50), stateful_step_count=25, deadline=None)
    )
