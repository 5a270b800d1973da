"""Compares the fields of packages that v4 lacks with the records."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from tests.support.answered_data import data
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


async def test_a_package_says_where_it_is(ask_catalog: Ask, embedded: EmbeddedUpstream) -> None:
    package = (
        await data(
            ask_catalog,
            '{ package(slug: "django-celery-email") { pypi { name version url }'
            ' repository { host owner name url } lastCommitAt email: isOnGrid(slug: "email")'
            ' other: isOnGrid(slug: "waffle-backends") contributors { login } participants } }',
        )
    )["package"]
    name = "django-celery-email"
    assert package["pypi"] == {"name": name, "version": "3.0.0", "url": f"https://pypi.org/project/{name}/"}
    assert package["repository"] == {
        "host": "github.com",
        "owner": "pmclanahan",
        "name": name,
        "url": f"https://github.com/pmclanahan/{name}",
    }
    assert package["lastCommitAt"] == "2022-08-29T12:54:37-04:00"
    assert (package["email"], package["other"]) == (True, False)
    assert [each["login"].casefold() for each in package["contributors"]] == [
        login.casefold() for login in package["participants"]
    ]
    # A grid that the catalog does not know is tried live, and a list shows that it is the API that says 404.
    assert embedded.requests.total <= 2


async def test_records_say_where_their_pages_on_the_site_are_and_count_as_filters_do(
    ask_catalog: Ask, catalog: Catalog
) -> None:
    said = await data(
        ask_catalog,
        '{ package(slug: "django-celery-email") { stars forks siteUrl category { siteUrl } }'
        ' grid(slug: "email") { siteUrl } }',
    )
    record = next(each for each in catalog.packages.values() if each.slug == "django-celery-email")
    assert said == {
        "package": {
            "stars": record.repo_watchers,
            "forks": record.repo_forks,
            "siteUrl": "https://djangopackages.org/packages/p/django-celery-email/",
            "category": {"siteUrl": "https://djangopackages.org/categories/apps/"},
        },
        "grid": {"siteUrl": "https://djangopackages.org/grids/g/email/"},
    }


async def test_the_packages_of_a_grid_come_in_the_order_of_their_titles_without_being_asked(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    said = await data(
        ask_catalog,
        '{ grid(slug: "email") { packages { title } ordered: packages(orderBy: TITLE_ASC) { title } } }',
    )
    titles = [package["title"] for package in said["grid"]["packages"]]
    assert said["grid"]["packages"] == said["grid"]["ordered"]
    assert titles == sorted(titles, key=str.casefold) != sorted(titles)


async def test_what_only_routers_use_comes_last_in_what_explorers_list(ask: Ask) -> None:
    said = (await data(ask, "{ __schema { types { name } queryType { fields { name } } } }"))["__schema"]
    types = [each["name"] for each in said["types"]]
    assert types[0] == "Query"
    assert types[-6:] == ["_Any", "_Entity", "_Service", "_FieldSet", "link__Purpose", "link__Import"]
    assert [each["name"] for each in said["queryType"]["fields"]][-2:] == ["_entities", "_service"]


async def test_addresses_that_name_nothing_are_null(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.catalog.update_package(1599, pypi_url="", repo_url="not an address", commits_over_52=[])
    await source.crawl()
    package = (
        await data(
            ask_catalog,
            "{ package(databaseId: 1599) { pypi { name } repository { host } commitActivity { total52 } } }",
        )
    )["package"]
    assert package == {"pypi": None, "repository": None, "commitActivity": None}


async def test_commit_activity_is_counted_from_the_weeks(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    weeks = [1] * 20 + [0] * 6 + [2] * 20 + [3, 0, 0, 5, 0, 0]
    moment = datetime.now(UTC) - timedelta(days=3, hours=1)
    embedded.catalog.update_package(1599, commits_over_52=weeks, last_updated=moment.isoformat())
    await source.crawl()
    query = """{ package(databaseId: 1599) { daysSinceLastCommit commitActivity {
      weekly total52 trend lastActiveWeek three: lastWeeks(n: 3) all: lastWeeks(n: 52) } } }"""
    package = (await data(ask_catalog, query))["package"]
    assert package["daysSinceLastCommit"] == 3
    assert package["commitActivity"] == {
        "weekly": weeks,
        "total52": 68,
        "trend": 48 - 20,
        "lastActiveWeek": 2,
        "three": 5,
        "all": 68,
    }


@pytest.mark.parametrize("n", [0, 53, -1])
async def test_a_number_of_weeks_out_of_range_is_a_sentence(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream, n: int
) -> None:
    body = await ask_catalog(f"{{ package(databaseId: 1599) {{ commitActivity {{ lastWeeks(n: {n}) }} }} }}")
    assert [error["message"] for error in body["errors"]] == [f"lastWeeks(n:) is {n}; it can be 1 to 52."]


async def test_related_packages_share_grids(ask_catalog: Ask, catalog: Catalog) -> None:
    package = max(catalog.packages.values(), key=lambda package: len(package.grids))
    shared: Counter[int] = Counter()
    for id in package.grids:
        shared.update(catalog.grids[id].packages)
    del shared[package.id]
    ranked = sorted(shared, key=lambda id: (-shared[id], -catalog.packages[id].repo_watchers, id))
    query = """query($id: Int) { package(databaseId: $id) {
      relatedPackages(first: 100) { package { databaseId grids { slug } } sharedGrids { slug } } } }"""
    related = (await data(ask_catalog, query, id=package.id))["package"]["relatedPackages"]
    assert [each["package"]["databaseId"] for each in related] == ranked[:100]
    for each in related:
        theirs = {grid["slug"] for grid in each["package"]["grids"]}
        assert {grid["slug"] for grid in each["sharedGrids"]} <= theirs
        assert len(each["sharedGrids"]) == shared[each["package"]["databaseId"]]


async def test_related_packages_need_no_catalog(ask: Ask, embedded: EmbeddedUpstream) -> None:
    body = await data(ask, "{ package(databaseId: 1599) { relatedPackages(first: 2) { package { slug } } } }")
    assert len(body["package"]["relatedPackages"]) == 2
    assert max(embedded.requests.by_target.values()) == 1
