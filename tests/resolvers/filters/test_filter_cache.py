"""What a filter matches is worked out once for each version of the catalog, and kept within bounds."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from catalog.columnar_table import package_table
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from catalog.record_sorting import NEWEST_PACKAGES_FIRST, Order
from gateway.prepared_request import GraphQLRequest
from resolvers.current_time import time_of
from resolvers.filters import filter_cache
from resolvers.filters.filter_cache import FilterCache, FiltersOfRequest, package_filters
from resolvers.filters.filter_inputs import IntRange, PackageFilter
from resolvers.filters.filter_matching import Match, matching_packages
from resolvers.lists.sort_orders import PackageOrder
from resolvers.work_budget import WorkBudget
from tests.support.garbage_collection import collector_off
from tests.support.gateway_in_process import asking, gateway_over
from tests.support.made_records import catalog_of, category, package
from tests.support.settings_for_tests import SETTINGS
from upstream.client.v4_records import PackageRecord

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

WITHIN = PackageFilter(active_within_days=10)


def catalog(count: int = 20, **fields: object) -> Catalog:
    return catalog_of(category(1), *(package(id, repo_watchers=id, **fields) for id in range(1, count + 1)))


def matches(catalog: Catalog, filter: PackageFilter) -> list[int]:
    """Return what a request of its own finds."""
    found = FiltersOfRequest().packages(WorkBudget(SETTINGS.limit_work), catalog, filter, "filter")
    return sorted(catalog.view(package_filters).ids(found, NEWEST_PACKAGES_FIRST))


def at(moment: datetime) -> time_of:
    """Make this the time of what is done in a block."""
    return time_of(Snapshot(catalog_of(), moment, as_of=moment))


class Counted(FilterCache[PackageRecord]):
    """Counts what is worked out."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.view(package_table))
        self.catalog, self.worked_out = catalog, 0

    def find(self, name: str, filter: PackageFilter) -> list[int]:
        def match() -> Match:
            self.worked_out += 1
            return matching_packages(self.catalog, filter, "filter")

        return list(self.ids(self.matches(name.encode(), match), NEWEST_PACKAGES_FIRST))


def test_equal_filters_of_several_requests_are_worked_out_once() -> None:
    known = catalog()
    for _ in range(3):
        assert matches(known, PackageFilter(stars=IntRange(min=19))) == [19, 20]
    assert len(known.view(package_filters)) == 1
    matches(known, PackageFilter(stars=IntRange(max=19)))
    matches(known, PackageFilter(not_=PackageFilter(stars=IntRange(min=19))))
    matches(known, PackageFilter(and_=[PackageFilter(stars=IntRange(min=19))]))
    assert len(known.view(package_filters)) == 4


def test_filters_that_differ_in_one_place_are_not_taken_for_one_another() -> None:
    known = catalog()
    texts: list[dict[str, Any]] = [
        {"title": "1"},
        {"slug": "1"},
        {"text": "1"},
        {"title": "1\x01"},
        {"title": ""},
    ]
    filters = [PackageFilter(**each) for each in texts]
    filters += [
        PackageFilter(and_=filters[:2]),
        PackageFilter(or_=filters[:2]),
        PackageFilter(and_=filters[1::-1]),
    ]
    for filter in filters:
        matches(known, filter)
    assert len(known.view(package_filters)) == len(filters)


def test_a_filter_of_the_moment_is_kept_for_as_long_as_it_is_right() -> None:
    day, second = timedelta(days=1), timedelta(seconds=1)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    soon = catalog_of(
        category(1),
        package(1, last_updated=now - 10 * day + second),
        package(2, last_updated=now - day),
        package(3, last_updated=now - 11 * day),
        package(4, last_updated=now + day),
        package(5),
    )
    counted = Counted(soon)
    with at(now):
        assert counted.find("", WITHIN) == [4, 2, 1]
    with at(now + second):
        assert counted.find("", WITHIN) == [4, 2, 1]
    assert counted.worked_out == 1
    for later in (2 * second, day):
        with at(now + later):
            assert counted.find("", WITHIN) == [4, 2]
    assert counted.worked_out == 2


def test_what_is_kept_has_a_bound_in_number_and_in_bytes() -> None:
    known = Counted(catalog())
    for number in range(filter_cache.MAX_FILTERS + 10):
        known.find(f"{number}", PackageFilter(title=f"{number}"))
    assert len(known) == filter_cache.MAX_FILTERS
    assert 0 < known.size <= filter_cache.MAX_BYTES
    worked_out = known.worked_out
    # The last is kept; the first is gone.
    known.find(f"{number}", PackageFilter(title=f"{number}"))
    assert known.worked_out == worked_out
    known.find("0", PackageFilter(title="0"))
    assert known.worked_out == worked_out + 1


def test_the_orders_of_kept_filters_count_too() -> None:
    wide = Counted(catalog(20_000))
    for number in range(60):
        wide.find(f"{number}", PackageFilter(stars=IntRange(min=number)))
        assert wide.size <= filter_cache.MAX_BYTES
    assert 10 < len(wide) < 60


def test_the_orders_of_a_filter_that_is_no_longer_kept_take_no_room() -> None:
    known = Counted(catalog())
    first = known.matches(
        b"first", lambda: matching_packages(known.catalog, PackageFilter(stars=IntRange(max=1)), "filter")
    )
    for number in range(filter_cache.MAX_FILTERS):
        known.find(f"{number}", PackageFilter(title=f"{number}"))
    before = known.size
    assert [*known.ids(first, NEWEST_PACKAGES_FIRST)] == [1]
    assert known.size == before


def test_what_is_kept_ends_with_its_catalog() -> None:
    with collector_off():
        known = catalog()
        matches(known, PackageFilter(title="1"))
        kept = weakref.ref(known.view(package_filters))
        del known
        assert kept() is None  # by reference counts alone: after a publish nothing is collected


def test_a_list_of_some_records_is_sorted_once_for_each_order_and_filter() -> None:
    known = catalog(40)
    cache = known.view(package_filters)
    stars = PackageOrder.STARS_DESC.order

    def some(
        ids: Sequence[int], order: Order[PackageRecord], filter: PackageFilter | None = None
    ) -> Sequence[int]:
        request = FiltersOfRequest()
        work = WorkBudget(SETTINGS.limit_work)
        matches = None if filter is None else request.packages(work, known, filter, "filter")
        return cache.ids_among(ids, matches, order)

    ids = tuple(range(1, 31))
    for _ in range(2):
        assert [*some(ids, stars)] == [*range(30, 0, -1)]
        assert [*some(ids, PackageOrder.STARS_ASC.order)] == [*range(1, 31)]
        assert [*some(ids, stars, PackageFilter(stars=IntRange(min=25)))] == [*range(30, 24, -1)]
        assert [*some(ids, stars, PackageFilter(stars=IntRange(max=3)))] == [3, 2, 1]
    assert some(ids, stars) is some(ids, stars)
    # Other records that are as many, whichever number Python knows them by.
    for first in range(2, 10):
        assert [*some(tuple(range(first, first + 30)), stars)] == [*range(first + 29, first - 1, -1)]


def test_a_list_by_a_filter_of_the_moment_is_sorted_anew_when_it_matches_others() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    soon = now - timedelta(days=10) + timedelta(seconds=1)
    known = catalog_of(category(1), *(package(id, last_updated=soon) for id in range(1, 31)))
    ids = tuple(range(1, 31))

    def some() -> Sequence[int]:
        found = FiltersOfRequest().packages(WorkBudget(SETTINGS.limit_work), known, WITHIN, "filter")
        return known.view(package_filters).ids_among(ids, found, NEWEST_PACKAGES_FIRST)

    with at(now):
        assert len(some()) == 30
    with at(now + timedelta(seconds=2)):
        assert len(some()) == 0


def test_sorted_lists_are_kept_within_a_bound() -> None:
    cache = catalog(2000).view(package_filters)
    lists = [tuple(range(first, first + 1000)) for first in range(1, 600)]
    for ids in lists:
        cache.ids_among(ids, None, NEWEST_PACKAGES_FIRST)
    assert cache.ids_among(lists[-1], None, NEWEST_PACKAGES_FIRST) is cache.ids_among(
        lists[-1], None, NEWEST_PACKAGES_FIRST
    )
    assert filter_cache.MAX_LIST_BYTES / 2 < cache.size <= filter_cache.MAX_LIST_BYTES


NESTED = """query($f: PackageFilter, $o: PackageOrder) {
  contributors(first: 30) { nodes { login
    packages(first: 100, filter: $f, orderBy: $o) { totalCount nodes { slug } } } }
  grids(first: 30) { nodes { slug
    packagesConnection(first: 100, filter: $f, orderBy: $o) { totalCount nodes { slug } } } }
  categories { slug packages(first: 100, filter: $f, orderBy: $o) { totalCount nodes { slug } } } }"""


@pytest.mark.parametrize("order", [None, "TITLE_ASC", "STARS_DESC"])
async def test_nested_lists_are_filtered_and_ordered_as_the_whole_list_is(
    ask_catalog: Ask, source: CatalogSource, order: str | None
) -> None:
    assert source.latest is not None
    known = source.latest.catalog
    body = await ask_catalog(NESTED, f={"stars": {"min": 30}, "not": {"title": "x"}}, o=order)
    values = {
        None: lambda each: -each.id,
        "TITLE_ASC": lambda each: (each.title.casefold(), each.id),
        "STARS_DESC": lambda each: (-each.repo_watchers, each.id),
    }
    every = sorted(known.packages.values(), key=values[order])
    wanted = [each for each in every if each.repo_watchers >= 30 and "x" not in each.title.casefold()]
    found = 0
    for node in body["data"]["contributors"]["nodes"]:
        theirs = [
            each.slug for each in wanted if node["login"].casefold() in map(str.casefold, each.participants)
        ]
        assert node["packages"] == {
            "totalCount": len(theirs),
            "nodes": [{"slug": slug} for slug in theirs[:100]],
        }
        found += len(theirs)
    for node in body["data"]["grids"]["nodes"]:
        grid = known.grids[known.grid_slugs[node["slug"]]]
        theirs = [each.slug for each in wanted if each.id in grid.packages]
        assert [each["slug"] for each in node["packagesConnection"]["nodes"]] == theirs
    for node in body["data"]["categories"]:
        theirs = [each.slug for each in wanted if each.category == known.category_slugs[node["slug"]]]
        assert [each["slug"] for each in node["packages"]["nodes"]] == theirs[:100]
    assert found > 30


async def test_both_ways_to_run_an_operation_build_the_same_filters(
    ask_catalog: Ask, source: CatalogSource
) -> None:
    strawberry = asking(source, use_engine=False)
    literal = """{ contributors(first: 9) { nodes { packages(filter: {
      stars: {min: 3, max: null}, missing: [LAST_COMMIT], created: {after: "2001-01-01T00:00:00Z"},
      and: [{title: "a"}, {or: [{not: {slug: "b"}}]}], category: null
    }) { nodes { slug } } } } }"""
    assert await ask_catalog(literal) == await strawberry(literal)


async def test_an_answer_by_a_kept_filter_of_the_moment_is_not_kept(
    source: CatalogSource, ask_catalog: Ask
) -> None:
    gateway = gateway_over(source)
    for days, is_cached in (
        ("activeWithinDays: 9", False),
        ("not: {activeWithinDays: 9}", False),
        ("title: 9", True),
    ):
        text = f"{{ packages(filter: {{{days}}}) {{ totalCount }} }}".replace("title: 9", 'title: "9"')
        for _ in range(2):
            answer = await gateway.execute(GraphQLRequest(text))
            assert not answer.failed
            assert answer.can_be_cached is is_cached
