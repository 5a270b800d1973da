"""Tests list positions: the bounds always hold the truth, and what was known is dropped when a page contradicts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.numbers_of_examples import examples
from upstream.batching.list_positions import ListPositions

MAX_ID = 2**63 - 1
QUICK = settings(deadline=None, max_examples=examples(50))


class Sighting(NamedTuple):
    """A page of a list."""

    offset: int
    ids: list[int | None]

    def positions(self) -> Iterator[tuple[int, int]]:
        """Return each id that could be read, and its place."""
        return ((id, place) for place, id in enumerate(self.ids, start=self.offset) if id is not None)


def places_after(list_: Sequence[int], sightings: Sequence[Sighting]) -> ListPositions:
    positions = ListPositions()
    for sighting in sightings:
        positions.saw_page(len(list_), *sighting)
    return positions


def holds_the_truth(positions: ListPositions, list_: Sequence[int]) -> bool:
    bounds = [positions.bounds(id) for id in list_]
    return all(first <= place <= last for place, (first, last) in enumerate(bounds))


def could_be_one_list(count: int, place_of: dict[int, int]) -> bool:
    """Return whether there is any list of so many records with these positions: newest id first, none below 1."""
    seen = [(MAX_ID + 1, -1), *sorted(place_of.items(), reverse=True), (0, count)]
    return all(1 <= behind - place <= id - older for (id, place), (older, behind) in pairwise(seen))


LOW = 40
"""Most ids are below, so that many are neighbours."""

lists = st.sets(st.integers(1, LOW) | st.integers(1, MAX_ID), max_size=20).map(
    lambda ids: sorted(ids, reverse=True)
)


@st.composite
def pages(draw: st.DrawFn, list_: Sequence[int]) -> Sighting:
    """Return a page of the list, on which any record may be unreadable. It may begin after the end."""
    offset = draw(st.integers(0, len(list_) + 2))
    limit = draw(st.integers(1, 8))
    unreadable = draw(st.sets(st.integers(offset, offset + limit), max_size=2))
    shown = enumerate(list_[offset : offset + limit], start=offset)
    return Sighting(offset, [None if place in unreadable else id for place, id in shown])


@st.composite
def seen_lists(draw: st.DrawFn) -> tuple[list[int], list[Sighting]]:
    list_ = draw(lists)
    return list_, draw(st.lists(pages(list_), max_size=5))


@st.composite
def changed(draw: st.DrawFn, list_: list[int]) -> list[int]:
    """Return the list after some records went, and some, mostly as many, came at its head."""
    gone = draw(st.sets(st.sampled_from(list_), max_size=2)) if list_ else set()
    newest = list_[0] if list_ else 0
    came = range(newest + 1, newest + 1 + draw(st.sampled_from([len(gone), len(gone), len(gone), 0, 2])))
    return sorted({*list_, *(id for id in came if id <= MAX_ID)} - gone, reverse=True)


@st.composite
def changed_lists(draw: st.DrawFn) -> tuple[list[int], list[Sighting], list[int], Sighting]:
    before, sightings = draw(seen_lists())
    after = draw(changed(before))
    return before, sightings, after, draw(pages(after))


# One list


@given(seen_lists())
@QUICK
def test_the_bounds_of_every_record_hold_its_place(seen: tuple[list[int], list[Sighting]]) -> None:
    list_, sightings = seen
    assert holds_the_truth(places_after(list_, sightings), list_)


@given(seen_lists())
@QUICK
def test_every_record_that_was_seen_has_its_exact_place(seen: tuple[list[int], list[Sighting]]) -> None:
    list_, sightings = seen
    positions = places_after(list_, sightings)
    for sighting in sightings:
        for id, place in sighting.positions():
            assert positions.bounds(id) == (place, place)


@given(seen_lists())
@QUICK
def test_an_older_id_never_has_bounds_before_those_of_a_newer_one(
    seen: tuple[list[int], list[Sighting]],
) -> None:
    # The planner relies on it.
    positions = places_after(*seen)
    bounds = [positions.bounds(id) for id in sorted({*range(1, LOW), *seen[0]}, reverse=True)]
    assert [first for first, _ in bounds] == sorted(first for first, _ in bounds)
    assert [last for _, last in bounds] == sorted(last for _, last in bounds)


@given(seen_lists())
@QUICK
def test_a_whole_crawl_gives_exact_places_and_no_place_to_others(
    seen: tuple[list[int], list[Sighting]],
) -> None:
    list_, sightings = seen
    positions = places_after(list_, sightings)
    positions.saw_all(list_)
    assert positions.count == len(list_)
    assert [positions.bounds(id) for id in list_] == [(place, place) for place in range(len(list_))]
    for id in {*range(1, LOW), MAX_ID} - set(list_):
        first, last = positions.bounds(id)
        assert last < first


@given(seen_lists(), st.data())
@QUICK
def test_a_page_after_a_crawl_of_the_same_list_changes_nothing(
    seen: tuple[list[int], list[Sighting]], data: st.DataObject
) -> None:
    list_, _ = seen
    positions = ListPositions()
    positions.saw_all(list_)
    positions.saw_page(len(list_), *data.draw(pages(list_)))
    assert [positions.bounds(id) for id in list_] == [(place, place) for place in range(len(list_))]


def test_before_any_answer_a_record_can_stand_anywhere() -> None:
    positions = ListPositions()
    assert positions.count is None
    first, last = positions.bounds(1599)
    assert first == 0
    assert last >= 10**9


def test_the_count_alone_says_where_a_low_id_stands() -> None:
    positions = ListPositions()
    positions.saw_page(100, 200, [])
    assert positions.bounds(1) == (99, 99)  # nothing is older than the lowest id
    assert positions.bounds(30) == (70, 99)
    assert positions.bounds(1000) == (0, 99)


def test_the_gap_between_two_ids_bounds_what_stands_between() -> None:
    positions = ListPositions()
    positions.saw_page(100, 10, [500])
    positions.saw_page(100, 20, [400])
    assert positions.bounds(450) == (11, 19)  # by the positions around it
    assert positions.bounds(498) == (11, 12)  # only 499 can be between it and 500
    assert positions.bounds(402) == (18, 19)


def test_an_id_that_two_neighbours_leave_no_place_for_is_not_there() -> None:
    positions = ListPositions()
    positions.saw_page(100, 10, [500, 400])
    first, last = positions.bounds(450)
    assert last < first


def test_an_unreadable_record_keeps_its_place() -> None:
    positions = ListPositions()
    positions.saw_page(100, 10, [500, None, 300])
    assert positions.bounds(300) == (12, 12)
    assert positions.bounds(400) == (11, 11)


def test_a_record_that_can_no_longer_be_read_still_bounds_others() -> None:
    positions = ListPositions()
    positions.saw_page(100, 10, [500, 400, 300])
    positions.saw_page(100, 10, [500, None, 300])
    first, last = positions.bounds(350)
    assert last < first


# A list that changes

KNOWN = list(range(90, 0, -10))
"""Nine records: 90 at place 0 to 10 at place 8."""


@pytest.mark.parametrize(
    ("count", "offset", "ids", "why"),
    [
        (10, 0, [95, 90], "one came"),
        (8, 0, [90, 80], "one went"),
        (10, 20, [], "only the count says so"),
        (9, 2, [80, 70], "one came and one went, and a known record moved"),
        (9, 0, [95, 90], "one came and one went, seen at the head"),
        (9, 0, [95], "the head is another record"),
        (9, 8, [5], "the tail is another record"),
        (9, 4, [55], "another record stands in a known place"),
    ],
)
def test_a_page_that_contradicts_what_is_known_replaces_it(
    count: int, offset: int, ids: list[int], why: str
) -> None:
    positions, fresh = ListPositions(), ListPositions()
    positions.saw_all(KNOWN)
    for each in (positions, fresh):
        each.saw_page(count, offset, ids)
    assert [positions.bounds(id) for id in range(1, 100)] == [fresh.bounds(id) for id in range(1, 100)], why


@given(changed_lists())
@settings(deadline=None, max_examples=examples(100))
def test_after_a_page_that_shows_a_change_the_bounds_hold_the_new_places(
    change: tuple[list[int], list[Sighting], list[int], Sighting],
) -> None:
    before, sightings, after, page = change
    known = {id: place for sighting in sightings for id, place in sighting.positions()}
    shown = dict(page.positions())
    moved = any(known.get(id, place) != place for id, place in shown.items())
    shows_it = len(after) != len(before) or moved or not could_be_one_list(len(after), known | shown)
    positions = places_after(before, sightings)
    positions.saw_page(len(after), *page)
    if shows_it or not sightings:
        assert holds_the_truth(positions, after)
    assert all(positions.bounds(id) == (place, place) for id, place in shown.items())


@given(changed_lists())
@QUICK
def test_a_crawl_after_a_change_gives_the_new_places(
    change: tuple[list[int], list[Sighting], list[int], Sighting],
) -> None:
    before, sightings, after, _ = change
    positions = places_after(before, sightings)
    positions.bounds(1)  # whatever was worked out for it is out of date
    positions.saw_all(after)
    assert [positions.bounds(id) for id in after] == [(place, place) for place in range(len(after))]
    for id in set(before) - set(after):
        first, last = positions.bounds(id)
        assert last < first
