"""Tests the catalog: every index and every order against a naive scan of the records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest

from catalog.columnar_table import package_table
from catalog.indexed_catalog import Catalog
from catalog.pypi_and_repository import pypi_name, repository
from resolvers.lists.sort_orders import PackageOrder
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE, CategoryRecord, GridRecord, PackageRecord
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream


class Whole(NamedTuple):
    packages: list[PackageRecord]
    grids: list[GridRecord]
    categories: list[CategoryRecord]
    catalog: Catalog


@pytest.fixture(scope="module")
def whole(whole_embedded_catalog: EmbeddedCatalog) -> Whole:
    """Return all records and their catalog. Shared: do not change it."""
    return asyncio.run(_whole(EmbeddedUpstream(catalog=whole_embedded_catalog)))


async def _whole(embedded: EmbeddedUpstream) -> Whole:
    async with aclosing(
        Client("http://upstream.test/api/v4/", in_process(embedded), CLIENT_LIMITS)
    ) as client:
        kinds = (
            (await client.page(PACKAGE, limit=10_000)).records,
            (await client.page(GRID, limit=1_000)).records,
            (await client.page(CATEGORY, limit=100)).records,
        )
    return Whole(*kinds, Catalog.build(*kinds))


async def test_records_are_by_id_in_upstreams_own_order(whole: Whole) -> None:
    assert len(whole.packages) == 5400
    assert [*whole.catalog.packages.items()] == [(record.id, record) for record in whole.packages]
    assert [*whole.catalog.grids.items()] == [(record.id, record) for record in whole.grids]
    assert [*whole.catalog.categories.items()] == [(record.id, record) for record in whole.categories]


async def test_every_index_agrees_with_a_naive_scan(whole: Whole) -> None:
    catalog, newest = whole.catalog, whole.packages
    oldest = newest[::-1]
    assert catalog.package_slugs == {package.slug: package.id for package in newest}
    assert catalog.grid_slugs == {grid.slug: grid.id for grid in whole.grids}
    assert catalog.category_slugs == {category.slug: category.id for category in whole.categories}
    assert catalog.pypi_names == grouped(oldest, lambda package: [pypi_name(package.pypi_url)])
    assert catalog.repositories == grouped(oldest, lambda package: [repository(package.repo_url)])
    assert catalog.contributor_packages == grouped(
        newest, lambda package: {login.casefold() for login in package.participants}
    )
    assert catalog.category_packages == {
        category.id: tuple(package.id for package in newest if package.category == category.id)
        for category in whole.categories
    }
    by_title = sorted(newest, key=lambda package: (package.title.casefold(), package.id))
    place = {package.id: number for number, package in enumerate(by_title)}
    assert catalog.grid_packages == {
        grid.id: tuple(sorted(grid.packages, key=place.__getitem__)) for grid in whole.grids
    }
    # None of the comparisons above was one of nothing with nothing.
    assert min(len(catalog.pypi_names), len(catalog.repositories), len(catalog.contributor_packages)) > 1000


def grouped(
    packages: Iterable[PackageRecord], names: Callable[[PackageRecord], Iterable[str | None]]
) -> dict[str, tuple[int, ...]]:
    ids: dict[str, tuple[int, ...]] = {}
    for record in packages:
        for name in names(record):
            if name is not None:
                ids[name] = (*ids.get(name, ()), record.id)
    return ids


def ordered(catalog: Catalog, by: PackageOrder) -> tuple[int, ...]:
    return tuple(catalog.view(package_table).ids(by.order))


def test_an_order_puts_missing_values_last_and_ties_by_id() -> None:
    catalog = catalog_of(
        package(4, commits_over_52=(0,) * 52),
        package(2, commits_over_52=None),
        package(3, commits_over_52=(2,) * 52),
        package(1, commits_over_52=()),
        package(5, commits_over_52=(0,) * 52),
    )
    assert ordered(catalog, PackageOrder.COMMITS_ASC) == (4, 5, 3, 1, 2)


def test_a_view_is_made_once() -> None:
    catalog = catalog_of(package(1), package(2))
    assert catalog.view(package_table) is catalog.view(package_table)
    order = PackageOrder.TITLE_ASC.order
    assert catalog.view(package_table).ids(order) is catalog.view(package_table).ids(order)


def test_moments_are_ordered_as_instants_whatever_their_offset() -> None:
    # 1:30 comes twice in the night when summer time ends: contract section 3.
    half_past_one = datetime(2013, 11, 3, 1, 30)
    catalog = catalog_of(
        package(1, created=half_past_one.replace(tzinfo=timezone(timedelta(hours=-5)))),
        package(2, created=half_past_one.replace(tzinfo=timezone(timedelta(hours=-4)))),
    )
    assert ordered(catalog, PackageOrder.CREATED_ASC) == (2, 1)


def test_the_lowest_id_has_a_slug_that_records_share() -> None:
    assert catalog_of(category(8), category(3), category(5)).category_slugs == {"apps": 3}


def test_of_records_with_one_id_the_last_counts() -> None:
    # A list that moves while it is paged sends a record twice: contract section 2.
    catalog = catalog_of(package(1, slug="old", participants=("ann",)), package(1, slug="new"))
    assert catalog.package_slugs == {"new": 1}
    assert catalog.contributor_packages == {}


def test_a_contributor_is_one_person_in_any_spelling() -> None:
    catalog = catalog_of(package(1, participants=("Ann", "ann", "Ben")), package(2, participants=("ANN",)))
    assert catalog.contributor_packages == {"ann": (2, 1), "ben": (1,)}


def test_packages_with_one_name_or_repository_are_all_found_oldest_first() -> None:
    catalog = catalog_of(
        package(7, pypi_url="Django_X", repo_url="https://github.com/O/N"),
        package(2, pypi_url="https://pypi.org/project/django-x/", repo_url="git@github.com:o/n.git"),
        package(3, pypi_url="none at all", repo_url="http://["),
    )
    assert catalog.pypi_names == {"django-x": (2, 7)}
    assert catalog.repositories == {"github.com/o/n": (2, 7)}


def test_a_grid_has_only_packages_that_are_known() -> None:
    catalog = catalog_of(grid(1, packages=(9, 2, 1)), grid(2), package(1, title="b"), package(2, title="a"))
    assert catalog.grid_packages == {1: (2, 1), 2: ()}


def test_a_category_is_there_without_packages_and_packages_without_their_category() -> None:
    catalog = catalog_of(category(1), package(1, category=2), package(3, category=2))
    assert catalog.category_packages == {1: (), 2: (3, 1)}


def test_a_catalog_is_frozen_and_says_what_it_is() -> None:
    catalog = catalog_of(package(1), grid(1))
    with pytest.raises(FrozenInstanceError):
        catalog.version = "x"  # type: ignore[misc]
    assert repr(catalog) == f"<Catalog {catalog.version}: 1 packages, 1 grids, 0 categories>"
