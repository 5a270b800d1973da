"""Tests plans: each wanted record is asked for once, and nothing cheaper would do. The model: contract section 7."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.numbers_of_examples import examples
from upstream.batching.list_positions import ListPositions
from upstream.batching.request_planning import MAX_PAGE, Prices, RequestPlan, cheapest

PACKAGES = Prices(detail=0.017, page=0.012, record=0.00035, skipped=0.000008)
GRIDS = Prices(detail=0.017, page=0.012, record=0.0013, skipped=0.000008)

Wanted = list[tuple[int, tuple[int, int]]]


QUICK = settings(deadline=None, max_examples=examples(60))


class Question(NamedTuple):
    """What a plan is asked for."""

    wanted: Wanted
    prices: Prices
    length: int  # of the list

    def plan(self) -> RequestPlan:
        return cheapest(self.wanted, self.prices, self.length)


@st.composite
def made_prices(draw: st.DrawFn) -> Prices:
    """Make prices: to skip a record costs at most what it costs on the page."""
    record = draw(st.floats(0.000001, 0.0001) | st.floats(0.0001, 0.03))
    skipped = record * draw(st.sampled_from([0.0, 0.02, 1.0]) | st.floats(0.0, 1.0))
    return Prices(draw(st.floats(0.001, 0.1)), draw(st.floats(0.0001, 0.1)), record, skipped)


prices = st.sampled_from([PACKAGES, GRIDS]) | made_prices()


@st.composite
def questions(draw: st.DrawFn, most: int = 40) -> Question:
    """Records of a list of which some pages were seen, and ids that are not there."""
    count = draw(st.integers(1, 1500))
    absent_every = draw(st.integers(2, 50))
    ids = [id for id in range(count * 2, 0, -1) if id % absent_every][:count]
    positions = ListPositions()
    for _ in range(draw(st.integers(0, 4))):
        offset = draw(st.integers(0, len(ids)))
        positions.saw_page(len(ids), offset, ids[offset : offset + draw(st.sampled_from([1, 20, 400, 1500]))])
    begin = draw(st.integers(1, ids[0]))
    near = st.integers(begin, min(ids[0] + 3, begin + 60))
    wanted = draw(st.sets(near, max_size=most * 3 // 4)) | draw(
        st.sets(st.integers(1, ids[0] + 3), max_size=most // 4)
    )
    return Question([(id, positions.bounds(id)) for id in wanted], draw(prices), len(ids))


@st.composite
def exact_questions(draw: st.DrawFn, counts: st.SearchStrategy[int]) -> Question:
    """Make questions for at most six records, whose positions are known."""
    count = draw(counts)
    wanted = draw(st.sets(st.integers(0, count - 1), max_size=6))
    return Question([(1000 - place, (place, place)) for place in wanted], draw(prices), count)


def may_be_there(wanted: Wanted) -> int:
    return sum(first <= last for _, (first, last) in wanted)


def price_of_the_whole_list(question: Question) -> float:
    """Pages of all records, and details for those that are on none."""
    pages = max(1, -(-question.length // MAX_PAGE))
    skipped = sum(MAX_PAGE * page for page in range(pages))
    absent = len(question.wanted) - may_be_there(question.wanted)
    return (
        pages * question.prices.page
        + question.length * question.prices.record
        + skipped * question.prices.skipped
        + absent * question.prices.detail
    )


def partitions(wanted: Wanted) -> Iterator[list[Wanted]]:
    """Yield all ways to ask for them in groups."""
    if not wanted:
        yield []
        return
    for partition in partitions(wanted[1:]):
        yield [wanted[:1], *partition]
        for n, group in enumerate(partition):
            yield [*partition[:n], [wanted[0], *group], *partition[n + 1 :]]


def price_of_a_group(group: Wanted, prices: Prices) -> float:
    """Return the price of a group: on one page, if one has room for all their bounds, or one by one."""
    one_by_one = len(group) * prices.detail
    offset = min(first for _, (first, _) in group)
    limit = max(last for _, (_, last) in group) - offset + 1
    has_page = len(group) > 1 and limit <= MAX_PAGE and all(first <= last for _, (first, last) in group)
    if not has_page:
        return one_by_one
    # From further ahead it would skip fewer, and bring more.
    offsets = range(max(0, offset - (MAX_PAGE - limit)), offset + 1)
    return min(one_by_one, *(page_price(prices, begin, limit + offset - begin) for begin in offsets))


def page_price(prices: Prices, offset: int, limit: int) -> float:
    return prices.page + prices.skipped * offset + prices.record * limit


def least_of_all_plans(question: Question) -> float:
    prices = question.prices
    least = min(
        sum(price_of_a_group(group, prices) for group in partition)
        for partition in partitions(question.wanted)
    )
    return min(least, price_of_the_whole_list(question)) if may_be_there(question.wanted) > 1 else least


# What every plan keeps to


@given(questions())
@QUICK
def test_every_wanted_id_is_asked_for_exactly_once(question: Question) -> None:
    plan = question.plan()
    asked = Counter(plan.details)
    for window in plan.windows:
        asked.update(window.ids)
    if plan.whole:
        # Each record is on one of the pages; only what is on none is asked for alone.
        asked.update(id for id, (first, last) in question.wanted if first <= last)
    assert asked == Counter(id for id, _ in question.wanted)


@given(questions(most=300))
@QUICK
def test_a_window_is_no_longer_than_a_page_and_covers_the_bounds_of_its_ids(question: Question) -> None:
    bounds = dict(question.wanted)
    for window in question.plan().windows:
        assert 1 <= window.limit <= MAX_PAGE
        assert all(window.covers(*bounds[id]) for id in window.ids)


@given(questions())
@QUICK
def test_the_seconds_of_a_plan_are_those_of_its_requests(question: Question) -> None:
    plan = question.plan()
    seconds = len(plan.details) * question.prices.detail
    seconds += sum(page_price(question.prices, window.offset, window.limit) for window in plan.windows)
    if plan.whole:
        # The last page has no more records than are left.
        seconds = price_of_the_whole_list(question)
    assert plan.seconds == pytest.approx(seconds)


@given(questions())
@QUICK
def test_a_plan_is_never_dearer_than_one_by_one(question: Question) -> None:
    one_by_one = len(question.wanted) * question.prices.detail
    assert question.plan().seconds <= one_by_one * (1 + 1e-9)


@given(questions(most=300))
@QUICK
def test_a_plan_for_several_is_never_dearer_than_the_whole_list(question: Question) -> None:
    if may_be_there(question.wanted) > 1:
        assert question.plan().seconds <= price_of_the_whole_list(question) * (1 + 1e-9)


@given(questions(), st.integers(0, 1499))
@QUICK
def test_a_single_record_is_asked_for_alone(question: Question, place: int) -> None:
    # Even where a page or the whole list would be cheaper.
    for wanted in ([(1, (place, place))], question.wanted[:1]):
        for count in (1, 10, question.length):
            plan = cheapest(wanted, question.prices, count)
            assert plan.details == tuple(id for id, _ in wanted)
            assert plan.windows == ()


# The cheapest


@given(exact_questions(st.integers(1, 12)))
@QUICK
def test_no_plan_for_a_few_records_of_a_short_list_is_cheaper(question: Question) -> None:
    assert question.plan().seconds == pytest.approx(least_of_all_plans(question))


@given(exact_questions(st.integers(1, 700)) | questions(most=6))
@QUICK
def test_no_plan_for_a_few_records_is_cheaper_wherever_they_may_stand(question: Question) -> None:
    assert question.plan().seconds == pytest.approx(least_of_all_plans(question))


@pytest.mark.parametrize("prices", [PACKAGES, GRIDS])
@pytest.mark.parametrize("count", [3_000, 40_000])
def test_no_plan_for_a_thousand_records_is_cheaper(prices: Prices, count: int) -> None:
    positions = sorted(Random(1).sample(range(count), 1000))
    # By trying every begin for every end.
    least = [0.0]
    for end, place in enumerate(positions):
        seconds = least[end] + prices.detail
        for begin in range(end - 1, -1, -1):
            if place - positions[begin] >= MAX_PAGE:
                break
            seconds = min(
                seconds, least[begin] + page_price(prices, positions[begin], place - positions[begin] + 1)
            )
        least.append(seconds)
    question = Question([(-place, (place, place)) for place in positions], prices, count)
    plan = question.plan()
    assert plan.seconds == pytest.approx(min(least[-1], price_of_the_whole_list(question)))
    assert not plan.whole
    assert plan.windows
