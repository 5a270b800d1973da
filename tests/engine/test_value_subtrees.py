"""Tests what a plan says of a page of a list is kept as a subtree: of which pages, and from which answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog import Snapshot
from engine.value_subtree_cache import MAX_MET
from gateway import Gateway
from resolvers import time_of
from tests.support.answer_subtrees import answer, gateway_of, subtrees_of
from tests.support.gateway_in_process import gateway_over
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.upstream_without_http import MadeSource
from upstream.client import Record

IDS = tuple(range(1, 8))
RECORDS: list[Record] = [
    category(1, title="Apps"),
    *(package(id, title=f"Package {id}", grids=(1, 2), repo_watchers=10 * id) for id in IDS),
    *(grid(id, title=f"Grid {id}", packages=IDS) for id in (1, 2)),
]
TITLES = "{ packages(first: 3) { nodes { title } } }"


async def counts(gateway: Gateway, text: str, times: int = 3) -> list[tuple[int, int]]:
    """Return how many subtrees there are, and how many were found, after each of the times that it is asked for."""
    counted: list[tuple[int, int]] = []
    for _ in range(times):
        await answer(gateway, text)
        counted.append((len(subtrees_of(gateway)), subtrees_of(gateway).found))
    return counted


async def test_a_page_is_a_subtree_the_second_time_and_found_the_third() -> None:
    assert await counts(gateway_of(RECORDS), TITLES) == [(0, 0), (1, 0), (1, 1)]


async def test_a_page_has_everything_below_in_its_subtree() -> None:
    text = (
        "{ packages(first: 3) { totalCount edges { cursor node { title grids { packages { title } } } } } }"
    )
    # The page, its three packages, and the two grids are made in the same answer; then the page alone is found.
    assert await counts(gateway_of(RECORDS), text) == [(0, 0), (6, 0), (6, 1)]


async def test_a_page_is_known_by_what_it_selects_and_not_by_how_it_is_asked_for() -> None:
    gateway = gateway_of(RECORDS)
    await answer(gateway, TITLES, times=2)
    same = "query($n: Int, $o: PackageOrder) { other: packages(first: $n, orderBy: $o) { nodes { title } } }"
    await answer(gateway, same, n=3)
    assert subtrees_of(gateway).found == 1
    for variables in ({"n": 4}, {"n": 3, "o": "STARS_ASC"}):
        found = await answer(gateway, same, **variables)
        assert len(found["data"]["other"]["nodes"]) == variables["n"]
    assert subtrees_of(gateway).found == 1


@pytest.mark.parametrize(
    ("field", "keys"), [("title slug", ["title", "slug"]), ("t: title", ["t"]), ("slug", ["slug"])]
)
async def test_a_page_of_other_fields_has_its_own_subtree(field: str, keys: list[str]) -> None:
    gateway = gateway_of(RECORDS)
    await answer(gateway, TITLES, times=3)
    found = await answer(gateway, TITLES.replace("title", field), times=3)
    assert list(found["data"]["packages"]["nodes"][0]) == keys
    assert (len(subtrees_of(gateway)), subtrees_of(gateway).found) == (2, 2)


@pytest.mark.parametrize(
    "below",
    ["daysSinceLastCommit", "isOnGrid(slug: $slug)", "contributors { login }", "category { packageCount }"],
)
async def test_a_page_with_what_depends_on_more_than_the_catalog_is_no_subtree(below: str) -> None:
    gateway = gateway_of(RECORDS)
    text = f"query($slug: String!) {{ packages(first: 2) {{ nodes {{ title {below} }} }} }}"
    await answer(gateway, text, times=4, slug="grid-1")
    assert len(subtrees_of(gateway)) == 0


async def test_an_answer_with_an_error_in_it_is_not_kept() -> None:
    gateway = gateway_of([category(1), package(1, unfit=("last_updated",)), package(2)])
    text = "{ packages { nodes { slug lastUpdated } } }"
    found = await answer(gateway, text, times=4)
    assert [error["path"] for error in found["errors"]] == [["packages", "nodes", 1, "lastUpdated"]]
    assert len(subtrees_of(gateway).of_values) == 0


async def test_a_page_below_which_records_were_loaded_live_is_not_kept() -> None:
    source = MadeSource(RECORDS)
    source.publish([each for each in RECORDS if each.id != 7])
    gateway = gateway_over(source.as_source())
    await answer(gateway, "{ grids(first: 2) { nodes { packages { title } } } }", times=4)
    assert ("package", 7) in source.batcher.asked
    assert len(subtrees_of(gateway)) == 0


async def test_without_a_catalog_no_page_is_kept() -> None:
    gateway = gateway_over(MadeSource(RECORDS, known=None).as_source())
    found = await answer(gateway, TITLES, times=3)
    assert found["data"]["packages"]["nodes"][0] == {"title": "Package 7"}


async def test_a_page_by_a_filter_of_the_moment_is_right_at_each_moment() -> None:
    until = datetime(2026, 1, 11, tzinfo=UTC)
    gateway = gateway_of([category(1), package(1, last_updated=until - timedelta(days=10)), package(2)])
    text = "{ packages(filter: {activeWithinDays: 10}) { totalCount nodes { title } } }"
    for seconds, count in ((-2, 1), (-1, 1), (0, 1), (1, 0), (2, 0)):
        before = subtrees_of(gateway).found
        moment = until + timedelta(seconds=seconds)
        with time_of(Snapshot(catalog_of(), moment, as_of=moment)):
            found = (await answer(gateway, text, times=3))["data"]["packages"]
        assert found["totalCount"] == len(found["nodes"]) == count
        assert subtrees_of(gateway).found > before


async def test_each_catalog_has_its_own_pages() -> None:
    source = MadeSource(RECORDS)
    gateway = gateway_over(source.as_source())
    for round in range(3):
        source.publish([category(1), *(package(id, title=f"{id} in {round}") for id in IDS)])
        found = await answer(gateway, TITLES, times=3)
        assert found["data"]["packages"]["nodes"][0] == {"title": f"7 in {round}"}
        assert (len(subtrees_of(gateway)), subtrees_of(gateway).found) == (1, 1)


async def test_pages_that_were_not_used_for_longest_make_room() -> None:
    gateway = gateway_of(RECORDS, response_cache_bytes=100_000)
    text = "query($n: Int) { packages(first: $n) { nodes { title } } }"
    for first in range(1, 80):
        await answer(gateway, text, times=2, n=first)
        assert gateway.answers.budget.taken <= 100_000
    assert 5 < len(subtrees_of(gateway)) < 20
    for first, is_found in ((79, True), (1, False)):
        before = subtrees_of(gateway).found
        await answer(gateway, text, n=first)
        assert (subtrees_of(gateway).found > before) is is_found


async def test_so_many_pages_are_remembered_that_were_asked_for_once() -> None:
    gateway = gateway_of(RECORDS)
    known = subtrees_of(gateway).of_values
    titles = (f"a{order}: packages(first: $n) {{ nodes {{ t{order}: title }} }}" for order in range(22))
    text = f"query($n: Int) {{ {' '.join(titles)} }}"
    remembered = []
    for first in range(1, 101):
        await answer(gateway, text, n=first)
        remembered.append(len(known._met))
    assert remembered[:2] == [22, 44]
    assert MAX_MET - 22 < max(remembered) <= MAX_MET
    assert len(known) == 0
