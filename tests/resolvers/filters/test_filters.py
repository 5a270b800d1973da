"""Tests filters and orders of lists, held against a plain reading of what they promise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.catalog_source import CatalogSource
from catalog.columnar_table import grid_table, package_table
from catalog.indexed_catalog import Catalog
from catalog.record_sorting import NEWEST_PACKAGES_FIRST
from resolvers.filters.filter_inputs import DateTimeRange, IntRange, PackageDetail, PackageFilter
from resolvers.filters.filter_matching import matching_packages
from resolvers.lists.sort_orders import GridOrder, PackageOrder
from tests.support.gateway_in_process import source_over
from tests.support.numbers_of_examples import examples
from tests.support.package_lists import found
from upstream.client.v4_records import GridRecord, PackageRecord
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


@pytest.fixture
def catalog(source: CatalogSource, ask_catalog: Ask) -> Catalog:
    assert source.latest is not None
    return source.latest.catalog


Test = Callable[[PackageRecord], bool]
YEAR = timedelta(days=365)


def conditions(catalog: Catalog) -> list[tuple[dict[str, Any], Test]]:
    """Return each condition with what it promises."""
    email, some = catalog.grids[15], sorted(catalog.grids.values(), key=lambda grid: grid.id)[0]
    middle = datetime(2018, 6, 1, tzinfo=UTC)
    apps = next(category for category in catalog.categories.values() if category.slug == "apps")
    return [
        ({"category": "apps"}, lambda package: package.category == apps.id),
        ({"inAnyGrid": ["email", some.slug, "nope"]}, lambda p: bool({email.id, some.id} & {*p.grids})),
        ({"inAllGrids": ["email"]}, lambda package: email.id in package.grids),
        ({"inAllGrids": ["email", "nope"]}, lambda package: False),
        (
            {"text": "CELERY"},
            lambda p: any("celery" in each.casefold() for each in (p.title, p.slug, p.repo_description)),
        ),
        ({"title": "Django"}, lambda package: "django" in package.title.casefold()),
        ({"slug": "-"}, lambda package: "-" in package.slug),
        ({"description": "GENERATED"}, lambda package: "generated" in package.repo_description.casefold()),
        ({"text": ""}, lambda package: True),
        ({"stars": {"min": 475, "max": 475}}, lambda package: package.repo_watchers == 475),
        ({"stars": {"min": 100}}, lambda package: package.repo_watchers >= 100),
        ({"forks": {"max": 10}}, lambda package: package.repo_forks <= 10),
        ({"commits": {"min": 0}}, lambda package: bool(package.commits_over_52)),
        ({"gridCount": {"min": 2}}, lambda package: len(package.grids) >= 2),
        ({"hasPypiRelease": True}, lambda package: bool(package.pypi_version)),
        ({"hasPypiRelease": False}, lambda package: not package.pypi_version),
        ({"hasDocumentation": True}, lambda package: bool(package.documentation_url)),
        ({"repositoryHost": "GitHub.com"}, lambda package: "//github.com/" in package.repo_url.casefold()),
        ({"contributor": "PMAC"}, lambda package: "pmac" in map(str.casefold, package.participants)),
        ({"created": {"after": middle.isoformat()}}, lambda package: package.created >= middle),
        ({"modified": {"before": middle.isoformat()}}, lambda package: package.modified < middle),
        (
            {"lastCommit": {"after": middle.isoformat(), "before": (middle + 3 * YEAR).isoformat()}},
            lambda p: p.last_updated is not None and middle <= p.last_updated < middle + 3 * YEAR,
        ),
        (
            {"lastCommitAt": {"after": middle.isoformat()}},
            lambda p: p.last_updated is not None and middle <= p.last_updated,
        ),
        (
            {"activeWithinDays": 2000},
            lambda p: (
                p.last_updated is not None and p.last_updated >= datetime.now(UTC) - timedelta(days=2000)
            ),
        ),
        ({"missing": ["LAST_COMMIT"]}, lambda package: package.last_updated is None),
        ({"missing": ["GRIDS", "DOCUMENTATION"]}, lambda p: not p.grids and not p.documentation_url),
        ({}, lambda package: True),
    ]


CONDITIONS = 27


@pytest.mark.parametrize("number", range(CONDITIONS))
async def test_each_condition_finds_what_it_promises(ask_catalog: Ask, catalog: Catalog, number: int) -> None:
    every = conditions(catalog)
    assert len(every) == CONDITIONS
    filter, test = every[number]
    expected = [package.slug for package in catalog.packages.values() if test(package)]
    assert await found(ask_catalog, filter=filter) == expected[:100]


async def test_conditions_are_joined_and_nested(ask_catalog: Ask, catalog: Catalog) -> None:
    filter = {
        "stars": {"min": 50},
        "and": [{"hasPypiRelease": True}, {"forks": {"min": 1}}],
        "or": [{"category": "apps"}, {"not": {"missing": ["DOCUMENTATION"]}}],
        "not": {"title": "wagtail"},
    }
    apps = catalog.category_slugs["apps"]
    expected = [
        package.slug
        for package in catalog.packages.values()
        if package.repo_watchers >= 50
        and package.pypi_version
        and package.repo_forks >= 1
        and (package.category == apps or package.documentation_url)
        and "wagtail" not in package.title.casefold()
    ]
    assert 0 < len(expected) < len(catalog.packages)
    assert await found(ask_catalog, filter=filter) == expected[:100]


def test_every_detail_that_can_be_missing_is_missing_somewhere_and_known_elsewhere(catalog: Catalog) -> None:
    for detail in PackageDetail:
        mask = matching_packages(catalog, PackageFilter(missing=[detail]), "filter").rows
        count = catalog.view(package_table).count(mask)
        assert 0 <= count < len(catalog.packages), detail


NUMBERS = st.integers(0, 2000)
LEAVES = st.one_of(
    st.builds(PackageFilter, text=st.sampled_from(["django", "a", "Z", "generated", "\u00e9"])),
    st.builds(PackageFilter, stars=st.builds(IntRange, min=NUMBERS)),
    st.builds(PackageFilter, forks=st.builds(IntRange, max=NUMBERS)),
    st.builds(PackageFilter, has_documentation=st.booleans(), has_pypi_release=st.booleans()),
    st.builds(PackageFilter, missing=st.lists(st.sampled_from(PackageDetail), max_size=2)),
    st.builds(
        PackageFilter,
        created=st.builds(
            DateTimeRange, after=st.datetimes(timezones=st.just(UTC), max_value=datetime(2030, 1, 1))
        ),
    ),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        PackageFilter,
        and_=st.lists(inner, max_size=3),
        or_=st.none() | st.lists(inner, min_size=1, max_size=3),
        not_=st.none() | inner,
    ),
    max_leaves=8,
)


@given(one=FILTERS, other=FILTERS)
@settings(max_examples=examples(150), deadline=None)
def test_masks_obey_the_laws_of_sets(
    whole_records: Catalog, one: PackageFilter, other: PackageFilter
) -> None:
    def mask(**parts: Any) -> int:
        return matching_packages(whole_records, PackageFilter(**parts), "filter").rows

    both, either = mask(and_=[one, other]), mask(or_=[one, other])
    every = whole_records.view(package_table).every
    assert both == mask(and_=[one]) & mask(and_=[other])
    assert mask(not_=PackageFilter(or_=[one, other])) == mask(
        and_=[PackageFilter(not_=one), PackageFilter(not_=other)]
    )
    assert mask(not_=one) ^ mask(and_=[one]) == every
    assert both | either == either


@pytest.fixture(scope="module")
def whole_records() -> Catalog:
    return asyncio.run(crawled(EmbeddedUpstream(packages=120)))


async def crawled(upstream: EmbeddedUpstream) -> Catalog:
    async with source_over(upstream) as source:
        return (await source.crawl()).snapshot.catalog


def naive(values: Mapping[int, Any], descending: bool) -> list[int]:
    """Order by value, missing ones last, ties by id."""
    known = sorted(id for id in values if values[id] is not None)
    known.sort(key=lambda id: values[id], reverse=descending)
    return known + sorted(id for id in values if values[id] is None)


PACKAGE_VALUES: dict[str, Callable[[PackageRecord], Any]] = {
    "TITLE": lambda package: package.title.casefold(),
    "STARS": lambda package: package.repo_watchers,
    "FORKS": lambda package: package.repo_forks,
    "CREATED": lambda package: package.created,
    "MODIFIED": lambda package: package.modified,
    "LAST_COMMIT": lambda package: package.last_updated,
    "COMMITS": lambda package: sum(package.commits_over_52) if package.commits_over_52 else None,
    "GRID_COUNT": lambda package: len(package.grids),
}
GRID_VALUES: dict[str, Callable[[GridRecord], Any]] = {
    "TITLE": lambda grid: grid.title.casefold(),
    "PACKAGE_COUNT": lambda grid: len(grid.packages),
    "CREATED": lambda grid: grid.created,
    "MODIFIED": lambda grid: grid.modified,
}


@pytest.mark.parametrize("order", PackageOrder)
def test_every_order_of_packages_agrees_with_a_naive_sort(
    whole_records: Catalog, order: PackageOrder
) -> None:
    name, _, direction = order.name.rpartition("_")
    values = {id: PACKAGE_VALUES[name](package) for id, package in whole_records.packages.items()}
    assert list(whole_records.view(package_table).ids(order.order)) == naive(values, direction == "DESC")


@pytest.mark.parametrize("order", GridOrder)
def test_every_order_of_grids_agrees_with_a_naive_sort(whole_records: Catalog, order: GridOrder) -> None:
    name, _, direction = order.name.rpartition("_")
    values = {id: GRID_VALUES[name](grid) for id, grid in whole_records.grids.items()}
    assert list(whole_records.view(grid_table).ids(order.order)) == naive(values, direction == "DESC")


async def test_paging_in_any_order_meets_every_match_once(ask_catalog: Ask, catalog: Catalog) -> None:
    query = """query($orderBy: PackageOrder, $after: String) {
      packages(filter: {forks: {min: 1}}, orderBy: $orderBy, first: 37, after: $after) {
        nodes { slug } pageInfo { hasNextPage endCursor } } }"""
    for order in PackageOrder:
        seen: list[str] = []
        after, more = None, True
        while more:
            body = await ask_catalog(query, orderBy=order.name, after=after)
            page = body["data"]["packages"]
            seen += [node["slug"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        ids = catalog.view(package_table).ids(order.order)
        assert seen == [catalog.packages[id].slug for id in ids if catalog.packages[id].repo_forks >= 1]


async def test_grids_are_filtered_too(ask_catalog: Ask, catalog: Catalog) -> None:
    query = "query($filter: GridFilter) { grids(filter: $filter, first: 100) { nodes { slug } } }"
    tests: list[tuple[dict[str, Any], Callable[[GridRecord], bool]]] = [
        ({"title": "EMAIL"}, lambda grid: "email" in grid.title.casefold()),
        (
            {"packageCount": {"min": 5}, "not": {"header": True}},
            lambda g: len(g.packages) >= 5 and not g.header,
        ),
        (
            {"or": [{"isLocked": True}, {"text": "generated"}]},
            lambda g: g.is_locked or "generated" in text(g),
        ),
    ]
    for filter, test in tests:
        body = await ask_catalog(query, filter=filter)
        expected = [grid.slug for grid in catalog.grids.values() if test(grid)]
        assert [node["slug"] for node in body["data"]["grids"]["nodes"]] == expected[:100]


def text(grid: GridRecord) -> str:
    return f"{grid.title} {grid.slug} {grid.description}".casefold()


def test_the_default_order_is_newest_first(whole_records: Catalog) -> None:
    ids = whole_records.view(package_table).ids(NEWEST_PACKAGES_FIRST)
    assert list(ids) == sorted(whole_records.packages, reverse=True)
