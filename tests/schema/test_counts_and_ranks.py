"""Compares the sums of grids, categories, contributors and the whole catalog with plain counts of the records."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from tests.support.answered_data import data
from upstream.client.v4_records import GridRecord, PackageRecord
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


def members(catalog: Catalog, grid: GridRecord) -> list[PackageRecord]:
    return [catalog.packages[id] for id in grid.packages]


async def test_a_grid_sums_up_its_packages(ask_catalog: Ask, catalog: Catalog) -> None:
    grid = max(catalog.grids.values(), key=lambda grid: len(grid.packages))
    packages = members(catalog, grid)
    commits = [sum(package.commits_over_52) for package in packages if package.commits_over_52]
    query = """query($id: Int) { grid(databaseId: $id) {
      packageCount stars { total median } forks { total median } commits { total median }
      mostActive(first: 3) { commitActivity { total52 } }
      packages(orderBy: STARS_DESC) { repoWatchers }
      packagesConnection(orderBy: FORKS_ASC, first: 2, filter: {forks: {min: 1}}) {
        totalCount nodes { repoForks } } } }"""
    answer = (await data(ask_catalog, query, id=grid.id))["grid"]
    stars = [package.repo_watchers for package in packages]
    forks = [package.repo_forks for package in packages]
    assert answer["packageCount"] == len(packages)
    assert answer["stars"] == {"total": sum(stars), "median": median(stars)}
    assert answer["forks"] == {"total": sum(forks), "median": median(forks)}
    assert answer["commits"] == {"total": sum(commits), "median": median(commits)}
    assert [each["commitActivity"]["total52"] for each in answer["mostActive"]] == sorted(commits)[::-1][:3]
    assert [each["repoWatchers"] for each in answer["packages"]] == sorted(stars, reverse=True)
    forked = sorted(count for count in forks if count)
    assert answer["packagesConnection"] == {
        "totalCount": len(forked),
        "nodes": [{"repoForks": count} for count in forked[:2]],
    }


async def test_an_empty_grid_has_no_median(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    empty = embedded.catalog.insert_grid(title="Empty")
    await source.crawl()
    query = "query($id: Int) { grid(databaseId: $id) { stars { total median } mostActive { slug } packageCount } }"
    assert (await data(ask_catalog, query, id=empty))["grid"] == {
        "stars": {"total": 0, "median": None},
        "mostActive": [],
        "packageCount": 0,
    }


async def test_packages_of_a_grid_are_compared_side_by_side(ask_catalog: Ask, catalog: Catalog) -> None:
    grid = max(catalog.grids.values(), key=lambda grid: len(grid.packages))
    packages = members(catalog, grid)
    slugs = [packages[3].slug, "nope", packages[0].slug]
    query = """query($id: Int, $slugs: [String!]!) { grid(databaseId: $id) {
      compare(slugs: $slugs) { package { slug } starsRank forksRank commitsRank lastCommitRank } } }"""
    first, missing, second = (await data(ask_catalog, query, id=grid.id, slugs=slugs))["grid"]["compare"]
    assert missing is None
    for answer, package in ((first, packages[3]), (second, packages[0])):
        assert answer["package"] == {"slug": package.slug}
        assert answer["starsRank"] == 1 + sum(
            other.repo_watchers > package.repo_watchers for other in packages
        )
        assert answer["forksRank"] == 1 + sum(other.repo_forks > package.repo_forks for other in packages)
        if package.last_updated is None:
            assert answer["lastCommitRank"] is None
        else:
            later = [p for p in packages if p.last_updated and p.last_updated > package.last_updated]
            assert answer["lastCommitRank"] == 1 + len(later)


async def test_a_category_has_its_packages(ask_catalog: Ask, catalog: Catalog) -> None:
    (answer,) = (
        await data(
            ask_catalog,
            '{ category(slug: "apps") { packageCount mostStarred(first: 2) { slug }'
            " packages(orderBy: STARS_DESC, first: 2) { totalCount nodes { slug category { slug } } } } }",
        )
    ).values()
    apps = catalog.category_slugs["apps"]
    theirs = [package for package in catalog.packages.values() if package.category == apps]
    theirs.sort(key=lambda package: (-package.repo_watchers, package.id))
    assert answer["packageCount"] == answer["packages"]["totalCount"] == len(theirs)
    assert [each["slug"] for each in answer["mostStarred"]] == [package.slug for package in theirs[:2]]
    assert [each["slug"] for each in answer["packages"]["nodes"]] == [package.slug for package in theirs[:2]]


async def test_a_contributor_is_known_by_login_in_any_case(ask_catalog: Ask, catalog: Catalog) -> None:
    login = max(catalog.contributor_packages, key=lambda login: len(catalog.contributor_packages[login]))
    theirs = catalog.contributor_packages[login]
    query = """query($login: String!) { contributor(login: $login) { login packageCount
      packages(first: 100) { nodes { databaseId } } categories { category { databaseId } packageCount }
      coContributors(first: 100) { contributor { login } sharedPackageCount } } }"""
    answer = (await data(ask_catalog, query, login=login.upper()))["contributor"]
    assert answer["login"].casefold() == login
    assert answer["packageCount"] == len(theirs)
    assert [each["databaseId"] for each in answer["packages"]["nodes"]] == list(theirs)[:100]
    counts = Counter(catalog.packages[id].category for id in theirs)
    assert {each["category"]["databaseId"]: each["packageCount"] for each in answer["categories"]} == counts
    shared: Counter[str] = Counter()
    for id in theirs:
        shared.update({other.casefold() for other in catalog.packages[id].participants} - {login})
    expected = sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))[:100]
    assert [
        (each["contributor"]["login"].casefold(), each["sharedPackageCount"])
        for each in answer["coContributors"]
    ] == expected
    assert await data(ask_catalog, query, login="nobody-has-this") == {"contributor": None}


async def test_contributors_are_listed_by_package_count(ask_catalog: Ask, catalog: Catalog) -> None:
    expected = sorted((-len(ids), login) for login, ids in catalog.contributor_packages.items())
    query = """query($after: String) { contributors(first: 90, after: $after) {
      totalCount nodes { login packageCount } pageInfo { hasNextPage endCursor } } }"""
    seen: list[tuple[int, str]] = []
    after, more = None, True
    while more and len(seen) < 1000:
        page = (await data(ask_catalog, query, after=after))["contributors"]
        assert page["totalCount"] == len(expected)
        seen += [(-node["packageCount"], node["login"].casefold()) for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == expected[: len(seen)]
    by_login = (
        await data(ask_catalog, "{ contributors(orderBy: LOGIN_DESC, first: 3) { nodes { login } } }")
    )["contributors"]
    assert [node["login"].casefold() for node in by_login["nodes"]] == sorted(catalog.contributor_packages)[
        ::-1
    ][:3]


async def test_the_stats_count_the_whole_catalog(ask_catalog: Ask, catalog: Catalog) -> None:
    query = """{ stats { packageCount gridCount categoryCount contributorCount
      byCategory { category { databaseId } packageCount } byRepositoryHost(first: 100) { host packageCount }
      active(withinDays: 2000) { packageCount share } newest(first: 2) { databaseId }
      mostStarred(first: 2) { repoWatchers } } }"""
    stats = (await data(ask_catalog, query))["stats"]
    packages = catalog.packages.values()
    assert stats["packageCount"] == len(packages)
    assert stats["gridCount"] == len(catalog.grids)
    assert stats["categoryCount"] == len(catalog.categories)
    assert stats["contributorCount"] == len({login.casefold() for p in packages for login in p.participants})
    counts = Counter(package.category for package in packages)
    assert {each["category"]["databaseId"]: each["packageCount"] for each in stats["byCategory"]} == {
        id: counts[id] for id in catalog.categories
    }
    github = sum("//github.com/" in package.repo_url.casefold() for package in packages)
    assert {"host": "github.com", "packageCount": github} in stats["byRepositoryHost"]
    since = datetime.now(UTC) - timedelta(days=2000)
    active = sum(package.last_updated is not None and package.last_updated >= since for package in packages)
    assert stats["active"] == {"packageCount": active, "share": active / len(packages)}
    assert [each["databaseId"] for each in stats["newest"]] == sorted(catalog.packages)[::-1][:2]
    assert [each["repoWatchers"] for each in stats["mostStarred"]] == sorted(
        p.repo_watchers for p in packages
    )[::-1][:2]


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("stats { newest(first: 101) { slug } }", "newest(first:) is 101; it can be 0 to 100."),
        ("stats { active(withinDays: -1) { share } }", "active(withinDays:) is -1; it can be 0 to 36500."),
        (
            'grid(slug: "email") { mostActive(first: -1) { slug } }',
            "mostActive(first:) is -1; it can be 0 to 100.",
        ),
        (
            'category(slug: "apps") { mostStarred(first: 500) { slug } }',
            "mostStarred(first:) is 500; it can be 0 to 100.",
        ),
        (
            "package(databaseId: 1599) { relatedPackages(first: 101) { package { slug } } }",
            "relatedPackages(first:) is 101; it can be 0 to 100.",
        ),
    ],
)
async def test_a_wrong_number_is_a_sentence(ask_catalog: Ask, field: str, sentence: str) -> None:
    (error,) = (await ask_catalog(f"{{ {field} }}"))["errors"]
    assert error["message"] == sentence
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
