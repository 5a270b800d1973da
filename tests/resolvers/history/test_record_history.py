"""Tests what history tells of records: old values, added and removed packages, and gained stars."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from catalog.catalog_source import CatalogSource
from tests.resolvers.history.conftest import Crawl, data, new_moment
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

HISTORY = """query($since: DateTime, $fields: [String!], $last: Int! = 100) {
  package(databaseId: 1599) { history(since: $since, fields: $fields, last: $last) { at field from to } } }"""
REMOVED = """query($since: DateTime, $first: Int, $after: String) {
  removedPackages(since: $since, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    nodes { at package { databaseId slug title stars history { field } } } } }"""
TRENDING = """query($since: DateTime!, $until: DateTime, $first: Int! = 10) {
  trending(since: $since, until: $until, first: $first) { package { slug stars } starsBefore starsAfter gained } }"""


async def refusal(ask: Ask, query: str, **variables: object) -> str:
    (error,) = (await ask(query, **variables))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    message: str = error["message"]
    return message


async def test_a_package_has_the_values_that_its_fields_had(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    stars = embedded.catalog.packages[1599].repo_watchers
    embedded.catalog.update_package(1599, repo_watchers=stars + 5, title="renamed")
    between = await crawl()
    embedded.catalog.update_package(1599, repo_watchers=stars + 7)
    await crawl()

    async def told(**variables: object) -> list[tuple[object, ...]]:
        changes = (await data(ask, HISTORY, **variables))["package"]["history"]
        assert [change["at"] for change in changes] == sorted(change["at"] for change in changes)
        return [(change["field"], change["from"], change["to"]) for change in changes]

    first = ("repoWatchers", stars, stars + 5)
    second = ("repoWatchers", stars + 5, stars + 7)
    every = await told()
    assert {first, ("title", "django-celery-email", "renamed")} <= {*every[:-1]}
    assert every[-1] == second
    assert await told(fields=["stars"]) == await told(fields=["repoWatchers"]) == [first, second]
    assert await told(fields=["stars"], last=1) == [second]
    assert await told(fields=["stars"], last=0) == []
    assert await told(since=between.isoformat()) == [second]
    assert await told(fields=["pypiVersion", "grids"]) == []


async def test_a_grid_has_a_history_too(ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl) -> None:
    embedded.catalog.update_grid(15, description="Sends mail.")
    await crawl()
    query = '{ grid(databaseId: 15) { history(fields: ["description"]) { field to } } }'
    told = (await data(ask, query))["grid"]["history"]
    assert told == [{"field": "description", "to": "Sends mail."}]


async def test_histories_of_many_packages_are_read_in_one_batch(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    for id, package in embedded.catalog.packages.items():
        embedded.catalog.update_package(id, repo_watchers=package.repo_watchers + id)
    await crawl()
    query = '{ packages(first: 100) { nodes { databaseId stars history(fields: ["stars"]) { from to } } } }'
    embedded.requests.reset()
    for package in (await data(ask, query))["packages"]["nodes"]:
        before = package["stars"] - package["databaseId"]
        assert package["history"] == [{"from": before, "to": package["stars"]}]
    assert embedded.requests.total == 0


async def test_removed_packages_are_listed_as_they_were_and_those_that_came_back_are_not(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    gone = sorted(embedded.catalog.packages)[:3]
    rows = {id: embedded.catalog.packages[id] for id in gone}
    for id in gone[:2]:
        embedded.catalog.remove_package(id)
    between = await crawl()
    embedded.catalog.remove_package(gone[2])
    await crawl()
    told = (await data(ask, REMOVED))["removedPackages"]
    assert [node["package"]["databaseId"] for node in told["nodes"]] == [gone[2], gone[1], gone[0]]
    assert [node["package"]["stars"] for node in told["nodes"]] == [
        rows[id].repo_watchers for id in reversed(gone)
    ]
    assert told["totalCount"] == 3
    later = (await data(ask, REMOVED, since=between.isoformat()))["removedPackages"]
    assert [node["package"]["databaseId"] for node in later["nodes"]] == [gone[2]]

    page = (await data(ask, REMOVED, first=2))["removedPackages"]
    assert page["pageInfo"]["hasNextPage"]
    rest = (await data(ask, REMOVED, after=page["pageInfo"]["endCursor"]))["removedPackages"]
    assert [node["package"]["databaseId"] for node in rest["nodes"]] == [gone[0]]
    assert rest["pageInfo"] | {"endCursor": None} == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "endCursor": None,
    }


async def test_filters_know_what_came_and_what_went_and_came_back(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    query = """query($filter: PackageFilter!) {
      packages(filter: $filter, first: 100) { nodes { databaseId } } }"""

    async def ids(**filter: object) -> list[int]:
        return [node["databaseId"] for node in (await data(ask, query, filter=filter))["packages"]["nodes"]]

    begun = datetime.now(UTC).isoformat()
    row = embedded.catalog.packages[back := min(embedded.catalog.packages)]
    embedded.catalog.remove_package(back)
    away = (await crawl()).isoformat()
    added = embedded.catalog.insert_package(slug="brand-new")
    assert await ids(addedAfter=begun) == await ids(removedAfter=begun) == []
    fields = {name: getattr(row, name) for name in ("slug", "title", "repo_watchers")}
    embedded.catalog.insert_package(id=back, **fields)
    await crawl()
    assert sorted(await ids(addedAfter=begun)) == sorted([added, back])
    assert await ids(removedAfter=begun) == [back]
    assert await ids(removedAfter=away) == []
    # What was there when history began was added when it was created.
    everything = await ids(addedAfter="1970-01-01T00:00:00Z")
    assert len(everything) == len(embedded.catalog.packages)


async def test_trending_packages_gained_the_most_stars_between_two_moments(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    begun = new_moment()
    ids = sorted(embedded.catalog.packages)[:4]
    stars = {id: embedded.catalog.packages[id].repo_watchers for id in ids}
    for gained, id in enumerate(ids[:3], 1):
        embedded.catalog.update_package(id, repo_watchers=stars[id] + gained)
    embedded.catalog.update_package(ids[3], repo_watchers=max(0, stars[ids[3]] - 1))
    middle = await crawl()
    embedded.catalog.update_package(ids[0], repo_watchers=stars[ids[0]] + 10)
    await crawl()

    async def told(**variables: object) -> list[tuple[int, int, int]]:
        trends = (await data(ask, TRENDING, **variables))["trending"]
        return [(trend["starsBefore"], trend["starsAfter"], trend["gained"]) for trend in trends]

    def gains(*gained: tuple[int, int]) -> list[tuple[int, int, int]]:
        return [(stars[id], stars[id] + by, by) for id, by in gained]

    assert await told(since=begun.isoformat()) == gains((ids[0], 10), (ids[2], 3), (ids[1], 2))
    first = gains((ids[2], 3), (ids[1], 2), (ids[0], 1))
    assert await told(since=begun.isoformat(), until=middle.isoformat()) == first
    assert await told(since=begun.isoformat(), until=middle.isoformat(), first=1) == first[:1]
    later = [(stars[ids[0]] + 1, stars[ids[0]] + 10, 9)]
    assert await told(since=middle.isoformat()) == later


async def test_ever_new_moments_of_trending_are_refused_with_the_time_to_come_again(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    begun = new_moment()
    stars = embedded.catalog.packages[1599].repo_watchers
    moments = []
    for gained in range(1, 20):
        embedded.catalog.update_package(1599, repo_watchers=stars + gained)
        moments.append(await crawl())
    bodies = [await ask(TRENDING, since=begun.isoformat(), until=moment.isoformat()) for moment in moments]
    refused = [body for body in bodies if "errors" in body]
    # A slow machine may take so long for them that one or two more are allowed.
    assert 6 <= len(bodies) - len(refused) <= 12
    for body in refused:
        (error,) = body["errors"]
        assert body["data"] == {"trending": None}
        assert error["path"] == ["trending"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 1 <= error["extensions"]["retryAfter"] <= 10


async def test_it_is_told_from_when_on_history_is_known(ask: Ask, source: CatalogSource) -> None:
    query = "{ catalog { historySince } }"
    assert (await data(ask, query))["catalog"] == {"historySince": None}
    begun = datetime.now(UTC)
    await source.crawl()
    told = datetime.fromisoformat((await data(ask, query))["catalog"]["historySince"])
    assert begun <= told <= datetime.now(UTC)


async def test_what_history_cannot_tell_is_a_sentence(ask: Ask, crawl: Crawl) -> None:
    names = "category, commitsOver52, created"
    wrong = await refusal(ask, HISTORY, fields=["Stars"])
    assert wrong.startswith(f'history(fields:) has "Stars"; it can have {names}, ')
    assert await refusal(ask, HISTORY, fields=[]) == "history(fields:) is empty; leave it out for all fields."
    assert await refusal(ask, HISTORY, last=1001) == "history(last:) is 1001; it can be 0 to 1,000."
    naive = "2026-01-01T00:00:00"
    assert "without an offset" in await refusal(ask, HISTORY, since=naive)
    assert "without an offset" in await refusal(ask, TRENDING, since=naive)
    assert "without an offset" in await refusal(ask, REMOVED, since=naive)
    old = "2001-01-01T00:00:00Z"
    assert "History reaches from" in await refusal(ask, TRENDING, since=old)
    now = datetime.now(UTC).isoformat()
    assert await refusal(ask, TRENDING, since=now, until=old) == "trending has until before since."
    assert "is in the future" in await refusal(ask, TRENDING, since="2999-01-01T00:00:00Z")
    cursor = "removedPackages(after:) is not a cursor of this list; take one from pageInfo or a node."
    assert await refusal(ask, REMOVED, after="x") == cursor
