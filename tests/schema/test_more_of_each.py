"""What the graph says beyond v4, each against a plain count of the records."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from upstream.client.v4_records import GridRecord, PackageRecord
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


@pytest.fixture
def catalog(source: CatalogSource, ask_catalog: Ask) -> Catalog:
    assert source.latest is not None
    return source.latest.catalog


async def data(ask: Ask, query: str, **variables: object) -> dict[str, Any]:
    body = await ask(query, **variables)
    assert "errors" not in body, body["errors"]
    answer: dict[str, Any] = body["data"]
    return answer


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
    assert embedded.requests.total <= 1  # a grid that the catalog does not know is tried live


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
