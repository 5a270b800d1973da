"""Tests plans by example: what is picked, and at what price (contract section 7)."""

from __future__ import annotations

import pytest

from upstream.batching.list_positions import ListPositions
from upstream.batching.request_planning import GUESSED_COUNTS, MAX_PAGE, Prices, RequestPlan, Window, cheapest

PACKAGES = Prices(detail=0.017, page=0.012, record=0.00035, skipped=0.000008)
GRIDS = Prices(detail=0.017, page=0.012, record=0.0013, skipped=0.000008)
CHEAP = Prices(detail=1.0, page=0.1, record=0.001, skipped=0.0)
"""Pages that are worth it for two records at their ends."""


def known(*positions: int) -> list[tuple[int, tuple[int, int]]]:
    """Records whose places are known; the ids are a thousand less the places."""
    return [(1000 - place, (place, place)) for place in positions]


def test_nothing_wanted_is_nothing_asked() -> None:
    assert cheapest([], PACKAGES, 5400) == RequestPlan((), (), 0.0)


def test_two_neighbours_are_one_page() -> None:
    plan = cheapest(known(100, 101), PACKAGES, 5400)
    assert (plan.details, plan.windows) == ((), (Window(100, 2, (900, 899)),))
    assert plan.seconds == pytest.approx(0.0135)  # 12 + 2 x 0.35 + 100 x 0.008 ms


def test_records_far_from_each_other_are_details() -> None:
    plan = cheapest(known(100, 163, 800), PACKAGES, 5400)
    assert (plan.details, plan.windows) == ((900, 837, 200), ())
    assert plan.seconds == pytest.approx(0.051)


def test_the_deeper_a_page_the_more_it_must_bring() -> None:
    # Behind 5,000 records a page of two takes 53 ms, of four 53.4.
    assert cheapest(known(5000, 5001, 5002), PACKAGES, 5400).windows == ()
    plan = cheapest(known(5000, 5001, 5002, 5003), PACKAGES, 5400)
    assert [(window.offset, window.limit) for window in plan.windows] == [(5000, 4)]
    assert plan.seconds == pytest.approx(0.0534)


def test_one_page_is_less_deep_than_two() -> None:
    # At the head 51 records between are dearer than a page of their own; behind 3,000 they are not.
    def pages(offset: int) -> list[tuple[int, int]]:
        positions = *range(offset, offset + 10), *range(offset + 61, offset + 71)
        return [
            (window.offset, window.limit) for window in cheapest(known(*positions), PACKAGES, 5400).windows
        ]

    assert pages(0) == [(0, 10), (61, 10)]
    assert pages(3000) == [(3000, 71)]


def test_a_page_reaches_as_far_as_a_detail_is_dearer() -> None:
    # 14 ms for 40 more records on the page, or 17 ms for a detail.
    plan = cheapest(known(100, 101, 141), PACKAGES, 5400)
    assert plan.windows == (Window(100, 42, (900, 899, 859)),)


def test_a_record_that_can_stand_in_more_places_than_a_page_has_is_a_detail() -> None:
    plan = cheapest([(900, (100, 100 + MAX_PAGE)), *known(101, 102)], PACKAGES, 5400)
    assert plan.details == (900,)
    assert plan.windows == (Window(101, 2, (899, 898)),)


def test_a_record_that_stands_nowhere_is_a_detail_amid_others_on_a_page() -> None:
    plan = cheapest([*known(100, 101, 102), (899, (101, 100))], PACKAGES, 5400)
    assert plan.details == (899,)
    assert plan.windows == (Window(100, 3, (900, 899, 898)),)


def test_neighbours_that_fill_more_than_a_page_are_several() -> None:
    plan = cheapest(known(*range(600)), PACKAGES, 5400)
    assert plan.details == ()
    assert len(plan.windows) == 3
    assert sum(window.limit for window in plan.windows) == 600


def test_a_page_can_be_as_long_as_a_page_may_be() -> None:
    assert cheapest(known(0, 249), CHEAP, 5400).windows == (Window(0, 250, (1000, 751)),)
    assert cheapest([(2, (7, 256)), (1, (7, 256))], CHEAP, 5400).windows == (Window(7, 250, (1, 2)),)
    assert cheapest(known(0, 250), CHEAP, 5400).details == (1000, 750)


def test_bounds_in_no_order_do_not_make_a_plan_dear() -> None:
    plan = cheapest([(900, (0, 200)), (899, (1, 1))], PACKAGES, 5400)
    assert plan.seconds == pytest.approx(0.034)


def test_the_whole_list_reaches_to_its_last_record() -> None:
    plan = cheapest(known(0, 500), CHEAP, 501)
    assert plan.whole
    assert plan.windows == (Window(0, 250, ()), Window(250, 250, ()), Window(500, 250, ()))


@pytest.mark.parametrize(
    ("kind", "prices", "most", "seconds"), [("package", PACKAGES, 153, 2.616), ("grid", GRIDS, 35, 0.598)]
)
def test_of_a_list_of_which_nothing_is_known_few_are_details_and_many_the_whole_list(
    kind: str, prices: Prices, most: int, seconds: float
) -> None:
    anywhere, count = ListPositions().bounds, GUESSED_COUNTS[kind]
    few = cheapest([(id, anywhere(id)) for id in range(most)], prices, count)
    assert (len(few.details), few.windows, few.whole) == (most, (), False)
    many = cheapest([(id, anywhere(id)) for id in range(most + 1)], prices, count)
    assert (many.details, many.whole) == ((), True)
    assert many.windows == tuple(Window(offset, 250, ()) for offset in range(0, count, 250))
    assert many.seconds == pytest.approx(seconds)


def test_an_empty_list_is_one_page() -> None:
    plan = cheapest([(1, (0, 300)), (2, (0, 300))], PACKAGES, 0)
    assert (plan.whole, plan.windows) == (True, (Window(0, 250, ()),))
    assert plan.seconds == pytest.approx(0.012)


def test_the_whole_list_does_not_hold_what_stands_nowhere() -> None:
    anywhere = [(id, (0, 299)) for id in range(1, 21)]
    plan = cheapest([*anywhere, (500, (100, 99))], PACKAGES, 300)
    assert plan.whole
    assert (plan.details, plan.windows) == ((500,), (Window(0, 250, ()), Window(250, 250, ())))
    assert plan.seconds == pytest.approx(0.148)
    details = cheapest([*anywhere[:2], *((id, (100, 99)) for id in range(500, 900))], PACKAGES, 300)
    assert not details.whole  # four hundred that are on no page make none worth it


@pytest.mark.parametrize(
    ("offset", "limit", "covers"), [(10, 3, True), (11, 3, False), (9, 3, False), (0, 99, True)]
)
def test_a_window_covers_bounds_that_are_all_on_it(offset: int, limit: int, covers: bool) -> None:
    assert Window(offset, limit, ()).covers(10, 12) is covers
