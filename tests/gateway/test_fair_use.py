"""Tests the allowances of clients by themselves: what they may use at once, when it comes back, and for how many."""

from __future__ import annotations

import asyncio
import time
from itertools import count

import pytest

from gateway.fair_use import IN_ADVANCE, REMEMBERED, FairUse
from gateway.retry_later_errors import RateLimited
from tests.support.numbers_of_examples import share_of

SLOW = 3
"""Units of an allowance of which one comes back in 20 seconds, so that no test sees it."""


def test_a_client_has_its_units_at_once_and_then_has_to_wait() -> None:
    fair_use = FairUse(SLOW, {})
    assert [fair_use.wait("a", 1) for _ in range(SLOW)] == [0] * SLOW
    assert 0 < fair_use.wait("a", 1) <= 20
    assert 20 < fair_use.wait("a", 2) <= 40
    assert fair_use.wait("b", 1) == 0
    assert fair_use.taken == SLOW + 1


def test_what_is_refused_costs_nothing() -> None:
    fair_use = FairUse(SLOW, {})
    assert fair_use.wait("a", 2) == 0
    assert [fair_use.wait("a", 2) > 0 for _ in range(5)] == [True] * 5
    assert fair_use.wait("a", 1) == 0


async def test_what_costs_more_than_a_whole_allowance_takes_what_is_left_of_one() -> None:
    fair_use = FairUse(SLOW, {})
    await fair_use.take("a", 1)
    await fair_use.take("a", 1_000)
    assert fair_use.wait("a", 1) > 0


async def test_a_refusal_is_a_sentence_with_numbers() -> None:
    fair_use = FairUse(SLOW, {})
    await fair_use.take("a", 2)
    sentence = (
        r"^The cost of this request is 2, and you have 1 of the 3 units that a client may use in 60 seconds\. "
        r"Try again in \d+ s\.$"
    )
    with pytest.raises(RateLimited, match=sentence) as refused:
        await fair_use.take("a", 2)
    assert 0 < refused.value.retry_after <= 20
    assert fair_use.refused == 1


def test_units_that_are_taken_in_advance_are_not_taken_again() -> None:
    units = 2 * IN_ADVANCE + 3
    fair_use = FairUse(units, {"free": None})
    for number in range(1, IN_ADVANCE + 1):
        assert fair_use.wait_for_one("a") == 0
        assert fair_use.taken == IN_ADVANCE, number
    assert [fair_use.wait_for_one("a") for _ in range(units - IN_ADVANCE)] == [0] * (units - IN_ADVANCE)
    assert fair_use.taken == units
    # One may have come back meanwhile.
    assert any(fair_use.wait_for_one("a") for _ in range(10))
    assert fair_use.wait_for_one("b") == 0
    assert [fair_use.wait_for_one("free") for _ in range(100)] == [0] * 100


def test_units_that_are_reserved_and_not_used_are_not_taken_again() -> None:
    fair_use = FairUse(10, {"free": None})
    assert fair_use.reserve("a", 0)
    fair_use.use("a", 0)
    assert fair_use.taken == 0
    assert fair_use.reserve("a", 4)
    assert fair_use.reserve("a", 6)
    assert fair_use.taken == 6
    fair_use.use("a", 5)
    assert fair_use.reserve("a", 5)
    assert fair_use.taken == 10
    assert not fair_use.reserve("a", 6)
    fair_use.use("a", 5)
    assert not fair_use.reserve("a", 1)
    for _ in range(10):
        assert fair_use.reserve("free", 100)
        fair_use.use("free", 100)


def test_what_has_been_done_already_is_owed_for_a_whole_allowance_at_most() -> None:
    fair_use = FairUse(SLOW, {"free": None})
    fair_use.owe("a", 1)
    assert fair_use.wait("a", 2) == 0
    fair_use.owe("a", 1)
    assert 20 < fair_use.wait("a", 1) <= 40
    fair_use.owe("a", 1_000)
    # Two windows are 120 seconds, of which 100 have to pass until there is one unit again.
    assert 60 < fair_use.wait("a", 1) <= 80
    told = fair_use.allowance("a")
    assert told is not None
    assert (told.remaining, 100 < told.seconds <= 120) == (0, True)
    fair_use.owe("free", 1_000)
    assert fair_use.wait("free", 1) == 0


async def test_the_units_come_back_while_the_client_waits() -> None:
    fair_use = FairUse(6_000, {})
    await fair_use.take("a", 5_999)
    told = fair_use.allowance("a")
    assert told is not None
    assert 0 < told.seconds <= 60
    deadline = time.monotonic() + 30
    while fair_use.wait("a", 10):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_a_client_can_have_an_allowance_of_its_own_or_no_limit() -> None:
    fair_use = FairUse(1, {"router": SLOW, "free": None})
    assert [fair_use.wait("router", 1) for _ in range(SLOW)] == [0] * SLOW
    assert fair_use.wait("router", 1) > 0
    assert [fair_use.wait("free", 100) for _ in range(5)] == [0] * 5
    assert fair_use.allowance("free") is None
    told = fair_use.allowance("router")
    assert told is not None
    assert (told.units, told.remaining) == (SLOW, 0)


async def test_only_so_many_clients_are_remembered_and_those_that_came_last() -> None:
    fair_use = FairUse(SLOW, {})
    clients = REMEMBERED * len(share_of(range(10)))
    await fair_use.take("busy", SLOW - 1)
    for number in range(clients):
        await fair_use.take(str(number), 1)
        if number % (REMEMBERED // 2) == 0:
            # Whoever goes on asking is not forgotten.
            assert fair_use.wait("busy", 2) > 0
    remaining = (fair_use.allowance(str(number)) for number in count(clients - 1, -1))
    remembered = 0
    for told in remaining:
        assert told is not None
        if told.remaining == SLOW:
            break
        remembered += 1
    assert REMEMBERED - 1 <= remembered <= REMEMBERED
