"""Tests what the batcher plans with: the prices of its client, and the length of the list or a guess of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.batcher_with_held_answers import HeldBatcher
from upstream.client.request_costs import nominal_detail
from upstream.client.v4_records import GRID, PACKAGE, Kind


@pytest.mark.parametrize(("kind", "most"), [(PACKAGE, 153), (GRID, 35)], ids=["packages", "grids"])
@pytest.mark.parametrize("more", [0, 1])
async def test_the_length_of_a_list_of_which_nothing_is_known_is_guessed_for_its_kind(
    held: HeldBatcher, kind: Kind[Any], most: int, more: int
) -> None:
    await held.batcher.fetch(kind, range(1, most + more + 1))
    pages = [target for target in held.asked if target.startswith(f"/{kind.plural}/?")]
    length = 5400 if kind is PACKAGE else 440
    whole = [f"/{kind.plural}/?limit=250&offset={offset}" for offset in range(0, length, 250)]
    assert sorted(pages) == (sorted(whole) if more else [])


@pytest.mark.parametrize(
    ("positions", "requests"),
    [
        # 12 + 59 x 0.35 ms, and 1.9 ms for the records before it, against two details of 17 ms.
        pytest.param([0, 58], ["/packages/?limit=59&offset=0"], id="at the head"),
        pytest.param([240, 298], ["/packages/{240}/", "/packages/{298}/"], id="behind 240 records"),
    ],
)
async def test_a_page_is_dearer_behind_other_records(
    held: HeldBatcher, positions: list[int], requests: list[str]
) -> None:
    held.know_positions()
    await held.batcher.fetch(PACKAGE, [held.ids[place] for place in positions])
    assert sorted(held.asked) == sorted(request.format(*held.ids) for request in requests)


@pytest.mark.virtual_time
async def test_what_requests_of_our_own_wait_for_one_another_is_no_price(held: HeldBatcher) -> None:
    held.hold()
    together = held.fetch(*held.ids[:32])
    await held.requests_came(32)
    await asyncio.sleep(0.1)  # as if they queued: a detail alone takes 17 ms
    held.answer_all()
    await together
    assert held.client.costs.detail(PACKAGE) == nominal_detail()
    held.asked.clear()
    wanted = held.ids[100:197]
    await held.fetch(*wanted)
    assert sorted(held.asked) == sorted(f"/packages/{id}/" for id in wanted)


async def test_a_slow_upstream_of_which_only_details_were_measured_is_asked_as_one_that_is_not(
    held: HeldBatcher,
) -> None:
    for _ in range(60):
        held.client.costs.measured_detail(PACKAGE, 0.1)
    wanted = held.ids[:97]
    await held.fetch(*wanted)
    assert sorted(held.asked) == sorted(f"/packages/{id}/" for id in wanted)
