"""Tests that history as of a moment ends at that moment, whatever has happened since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.resolvers.history.conftest import Crawl, data, new_moment
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


async def test_filters_by_arrival_know_nothing_of_what_came_later(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    """Remove a package and bring it back, behind a moment at which it was there."""
    before = new_moment()
    row = embedded.catalog.packages[back := min(embedded.catalog.packages)]
    embedded.catalog.remove_package(back)
    await crawl()
    embedded.catalog.insert_package(id=back, slug=row.slug, title=row.title)
    after = await crawl()
    query = """query($of: DateTime, $filter: PackageFilter!) @asOf(time: $of) {
      packages(filter: $filter) { nodes { databaseId } } }"""
    for name in ("addedAfter", "removedAfter"):
        then = await data(ask, query, of=before.isoformat(), filter={name: before.isoformat()})
        assert then["packages"]["nodes"] == []
        now = await data(ask, query, of=after.isoformat(), filter={name: before.isoformat()})
        assert now["packages"]["nodes"] == [{"databaseId": back}]


async def test_trends_end_at_the_moment_as_of_which_they_are_asked_for(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    begun = new_moment()
    embedded.catalog.update_package(1599, repo_watchers=1000)
    middle = await crawl()
    embedded.catalog.update_package(1599, repo_watchers=2000)
    end = await crawl()
    query = """query($of: DateTime, $since: DateTime!, $until: DateTime) @asOf(time: $of) {
      trending(since: $since, until: $until) { starsAfter } }"""
    told = await data(ask, query, of=middle.isoformat(), since=begun.isoformat(), until=end.isoformat())
    assert told["trending"] == [{"starsAfter": 1000}]


async def test_the_last_changes_up_to_a_moment_are_not_those_that_came_later(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    embedded.catalog.update_package(1599, repo_watchers=1000)
    middle = await crawl()
    for stars in (2000, 3000):
        embedded.catalog.update_package(1599, repo_watchers=stars)
        await crawl()
    query = """query($of: DateTime) @asOf(time: $of) {
      package(databaseId: 1599) { history(fields: ["stars"], last: 1) { to } } }"""
    told = await data(ask, query, of=middle.isoformat())
    assert told["package"]["history"] == [{"to": 1000}]


async def test_a_change_of_other_fields_does_not_hide_the_last_change_of_one(
    ask: Ask, embedded: EmbeddedUpstream, crawl: Crawl
) -> None:
    embedded.catalog.update_package(1599, repo_watchers=1000)
    await crawl()
    # What looks like the name of a field in a value is none.
    embedded.catalog.update_package(1599, title='"repo_watchers":[1,2]')
    await crawl()
    query = '{ package(databaseId: 1599) { history(fields: ["stars"], last: 1) { to } } }'
    assert (await data(ask, query))["package"]["history"] == [{"to": 1000}]


@pytest.mark.parametrize(
    "field",
    [
        "package(databaseId: 1599) { history(since: $since) { to } }",
        "removedPackages(since: $since) { totalCount }",
        "trending(since: $since) { gained }",
    ],
)
@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.usefixtures("crawl")
async def test_a_moment_that_utc_cannot_say_is_refused_in_a_sentence(
    ask: Ask, field: str, since: str
) -> None:
    (error,) = (await ask(f"query($since: DateTime!) {{ {field} }}", since=since))["errors"]
    assert error["message"].endswith("(since:) is no moment of the years 1 to 9999 in UTC.")
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
