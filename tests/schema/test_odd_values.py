"""Tests odd values of upstream: taken, or null at that place with one error, by both executions (contract section 3).

The package is there whatever its values are.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gateway_in_process import asking
from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from catalog.catalog_source import CatalogSource
    from tests.support.gateway_in_process import Ask

COMMITS = "{ package(databaseId: 1599) { slug commitsOver52 } }"
MOMENTS = "{ package(databaseId: 1599) { created lastUpdated lastCommitAt lastFetched } }"
LEFT_OUT = "Upstream's {} of package 1599 is not as the v4 API promises, and is left out."
OLD, OLD_TAKEN = "1880-05-05T07:03:58-04:56:02", "1880-05-05T07:04:00-04:56"

UNFIT = [[2**31], [1, -(2**31) - 1], [10**30], [1, None, 2], [0.5], ["weeks"], [["x"]], [True]]


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream of few packages, because nearly each test crawls it."""
    return generated_upstream(40)


@pytest.fixture(params=["live", "crawled", "stored"])
def place(request: pytest.FixtureRequest) -> str:
    """Return where the package is found: at upstream, in the crawled catalog, or in that after a restart."""
    where: str = request.param
    return where


async def known(source: CatalogSource, place: str) -> None:
    if place != "live":
        await source.crawl()
    if place == "stored":
        await source.publisher.load()


@pytest.mark.parametrize("weeks", UNFIT, ids=str)
async def test_commits_that_cannot_be_taken_are_null_with_one_error(
    source: CatalogSource,
    embedded: EmbeddedUpstream,
    ask: Ask,
    caplog: pytest.LogCaptureFixture,
    place: str,
    weeks: Any,
) -> None:
    embedded.catalog.update_package(1599, commits_over_52=weeks)
    with caplog.at_level(logging.ERROR):
        await known(source, place)
        body = await ask(COMMITS)
    assert body == {
        "errors": [
            {
                "message": LEFT_OUT.format("commits_over_52"),
                "locations": [{"line": 1, "column": 36}],
                "path": ["package", "commitsOver52"],
                "extensions": {"code": "UPSTREAM_BAD_DATA"},
            }
        ],
        "data": {"package": {"slug": "django-celery-email", "commitsOver52": None}},
    }
    assert not caplog.records


async def test_whole_floats_are_commits(
    source: CatalogSource, embedded: EmbeddedUpstream, ask: Ask, place: str
) -> None:
    embedded.catalog.update_package(1599, commits_over_52=[1.0, 2, 30.0])
    await known(source, place)
    assert await ask(COMMITS) == {
        "data": {"package": {"slug": "django-celery-email", "commitsOver52": [1, 2, 30]}}
    }


async def test_moments_before_railway_time_keep_their_instant(
    source: CatalogSource, embedded: EmbeddedUpstream, ask: Ask, place: str
) -> None:
    embedded.catalog.update_package(1599, created=OLD, last_updated=OLD, last_fetched=None)
    await known(source, place)
    body = await ask(MOMENTS)
    assert body["data"]["package"] == {
        "created": OLD_TAKEN,
        "lastUpdated": OLD_TAKEN,
        "lastCommitAt": OLD_TAKEN,
        "lastFetched": None,
    }


async def test_a_moment_that_is_none_is_null_at_its_place(
    source: CatalogSource, embedded: EmbeddedUpstream, ask: Ask, place: str
) -> None:
    embedded.catalog.update_package(1599, last_updated="yesterday")
    await known(source, place)
    body = await ask("{ package(databaseId: 1599) { slug lastUpdated daysSinceLastCommit lastFetched } }")
    assert body["data"]["package"]["slug"] == "django-celery-email"
    assert body["data"]["package"]["lastFetched"]
    told = [(error["path"], error["message"], error["extensions"]["code"]) for error in body["errors"]]
    assert told == [
        (["package", field], LEFT_OUT.format("last_updated"), "UPSTREAM_BAD_DATA")
        for field in ("lastUpdated", "daysSinceLastCommit")
    ]


async def test_both_executions_give_the_same_bytes_for_lists_with_odd_values(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.catalog.update_package(1599, commits_over_52=[2**40], last_updated="yesterday")
    embedded.catalog.update_package(1442, commits_over_52=[None], created=OLD)
    await source.crawl()
    query = """{
      packages(first: 100, orderBy: COMMITS_DESC) {
        nodes { slug commitsOver52 created lastUpdated commitActivity { total52 } }
      }
      missing: packages(filter: { missing: [COMMITS] }) { totalCount }
      odd: packages(filter: { missing: [COMMITS, LAST_COMMIT], slug: "django-celery-email" }) { totalCount }
      active: packages(filter: { commits: { min: 0 } }) { totalCount }
      grid(slug: "email") { commits { total median } stars { total } mostActive { slug } packages { commitsOver52 } }
      stats { active(withinDays: 3650) { packageCount } }
    }"""
    ours, theirs = [await asking(source, use_engine=on)(query) for on in (True, False)]
    assert ours == theirs
    assert ours["data"], ours
    assert {error["extensions"]["code"] for error in ours["errors"]} == {"UPSTREAM_BAD_DATA"}
    assert ours["data"]["odd"] == {"totalCount": 1}
    counted = ours["data"]["active"]["totalCount"]
    assert counted + ours["data"]["missing"]["totalCount"] == 40


async def test_a_number_or_a_sum_beyond_32_bits_is_bad_data_of_upstream(
    source: CatalogSource, embedded: EmbeddedUpstream, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    largest = 2**31 - 1
    embedded.catalog.update_package(1599, commits_over_52=[largest, largest], repo_watchers=5 * 10**9)
    with caplog.at_level(logging.ERROR):
        await source.crawl()
        body = await ask(
            """{ package(databaseId: 1599) { slug commitsOver52 commitActivity { total52 } }
                 starred: package(databaseId: 1599) { repoWatchers }
                 packages(first: 1, orderBy: STARS_DESC) { nodes { slug } } }"""
        )
    slug = {"slug": "django-celery-email"}
    assert body["data"] == {
        "package": {**slug, "commitsOver52": [largest, largest], "commitActivity": None},
        "starred": None,
        "packages": {"nodes": [slug]},
    }
    told = {tuple(error["path"]): (error["message"], error["extensions"]) for error in body["errors"]}
    sentence, code = (
        "Upstream's numbers make {} here, and an Int of GraphQL has 32 bits.",
        "UPSTREAM_BAD_DATA",
    )
    assert told == {
        ("package", "commitActivity", "total52"): (sentence.format(2 * largest), {"code": code}),
        ("starred", "repoWatchers"): (sentence.format(5 * 10**9), {"code": code}),
    }
    assert not caplog.records
