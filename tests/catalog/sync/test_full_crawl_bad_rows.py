"""Tests the crawl where upstream cannot serve a row, serves nonsense for one, or fails for a while or altogether."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

import pytest

from tests.support.crawls import Records, asked, crawled, found, last_good, truth
from tests.support.generated_upstreams import generated_upstream, shared_rows
from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.upstream_errors import UpstreamBadData, UpstreamUnavailable
from upstream.embedded import (
    BadField,
    Dropped,
    Effect,
    EmbeddedUpstream,
    Fault,
    Poisoned,
    State,
    StatusFault,
    Truncated,
)

READS, LOOKS = 5, 3
"""Requests of a crawl of 210 packages without trouble."""

HALVINGS = 2 * 7
"""The sizes of pages from 100 rows down to one: 50, 25, 13 or 12, ... and the other half each time."""


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with three pages of packages."""
    return generated_upstream(210)


@pytest.fixture(scope="module")
def whole() -> Records:
    """Return what it has before a test changes it. Shared: do not change it."""
    return asyncio.run(truth(shared_rows(210)))


def id_at(embedded: EmbeddedUpstream, place: int) -> int:
    return sorted(embedded.catalog.packages, reverse=True)[place]


def poison(embedded: EmbeddedUpstream, *positions: int) -> list[int]:
    """Let the rows at these places of the list be unreadable; their ids."""
    ids = [id_at(embedded, place) for place in positions]
    for id in ids:
        embedded.faults.add(Fault(Poisoned(id)))
    return ids


@pytest.mark.parametrize("place", [0, 1, 49, 50, 99, 100, 177, 209])
async def test_an_unreadable_row_is_stepped_over_and_all_others_are_there(
    embedded: EmbeddedUpstream, whole: Records, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    (bad,) = poison(embedded, place)
    catalog = await crawled(embedded)
    assert found(catalog) == whole.without(bad)
    assert catalog.report.kept == 0
    assert caplog.messages == [f"upstream cannot serve its packages at offsets [{place}]"]


async def test_it_is_found_by_halving_its_page(embedded: EmbeddedUpstream) -> None:
    poison(embedded, 199)
    await crawled(embedded)
    sizes = [int(target.partition("limit=")[2].partition("&")[0]) for target in asked(embedded)]
    # The page of one, beyond the end, shows that upstream as such is well.
    assert sizes[:4] == [100, 100, 1, 100]
    assert sizes[4:-5] == [50, 50, 25, 25, 12, 13, 6, 7, 3, 4, 2, 2, 1, 1]
    assert embedded.requests.total == READS + 1 + HALVINGS + LOOKS


@pytest.mark.parametrize(
    "positions", [(100, 101), (149, 150), (110, 190), (0, 209), (20, 120, 205), (0, 1, 2)]
)
async def test_several_are_found(
    embedded: EmbeddedUpstream, whole: Records, positions: tuple[int, ...]
) -> None:
    bad = poison(embedded, *positions)
    assert found(await crawled(embedded)) == whole.without(*bad)


@pytest.mark.parametrize("kind", ["grids", "categories"])
async def test_an_unreadable_grid_or_category_is_stepped_over_too(
    embedded: EmbeddedUpstream, whole: Records, kind: Literal["grids", "categories"]
) -> None:
    bad = sorted(embedded.catalog.rows(kind))[1]
    embedded.faults.add(Fault(Poisoned(bad, kind=kind)))
    left = {id: record for id, record in getattr(whole, kind).items() if id != bad}
    assert found(await crawled(embedded)) == replace(whole, **{kind: left})
    # The packages of the grid name it; that they disagree with nobody costs nothing.
    assert not [target for target in asked(embedded) if "?" not in target]


async def test_an_unreadable_record_keeps_its_last_good_version(embedded: EmbeddedUpstream) -> None:
    bad = id_at(embedded, 42)
    embedded.catalog.update_package(bad, title="as it was")
    before = await truth(embedded.catalog)
    embedded.catalog.update_package(bad, title="unseen")
    poison(embedded, 42)
    catalog = await crawled(embedded, last_good(before))
    assert catalog.report.kept == 1
    assert catalog.packages[bad].title == "as it was"
    assert found(catalog).without(bad) == (await truth(embedded.catalog)).without(bad)


async def test_a_deleted_record_disappears_even_beside_an_unreadable_one(
    embedded: EmbeddedUpstream, whole: Records
) -> None:
    (bad,) = poison(embedded, 42)
    gone = [id_at(embedded, 41), id_at(embedded, 209)]
    for id in gone:
        embedded.catalog.remove_package(id)
    catalog = await crawled(embedded, last_good(whole))
    assert not catalog.packages.keys() & set(gone)
    assert catalog.packages[bad] == whole.packages[bad]
    assert catalog.report.kept == 1
    # Only those that are missed are asked for.
    assert sorted(asked(embedded)[-3:]) == sorted(f"packages/{id}/" for id in (bad, *gone))


async def test_deleted_records_disappear(embedded: EmbeddedUpstream, whole: Records) -> None:
    embedded.catalog.remove_package(id_at(embedded, 150))
    embedded.catalog.remove_grid(max(embedded.catalog.grids))
    catalog = await crawled(embedded, last_good(whole))
    assert found(catalog) == await truth(embedded.catalog)
    assert embedded.requests.total == READS + LOOKS


@pytest.mark.parametrize("place", [0, 150, 209])
async def test_a_record_of_nonsense_keeps_its_last_good_version(
    embedded: EmbeddedUpstream, whole: Records, place: int
) -> None:
    bad = id_at(embedded, place)
    embedded.catalog.update_package(bad, title="unseen", grids=[])
    embedded.faults.add(Fault(BadField(bad, "repo_watchers", "many")))
    catalog = await crawled(embedded, last_good(whole))
    assert (catalog.packages[bad], catalog.report.kept) == (whole.packages[bad], 1)
    # The grids no longer name it, and neither is asked about that.
    assert embedded.requests.total == READS + LOOKS


async def test_a_record_of_nonsense_that_never_was_good_is_left_out(
    embedded: EmbeddedUpstream, whole: Records
) -> None:
    bad = next(row.id for row in embedded.catalog.packages.values() if row.grids)
    embedded.faults.add(Fault(BadField(bad, "title", None)))
    catalog = await crawled(embedded)
    assert found(catalog) == whole.without(bad)
    assert catalog.report.kept == 0
    assert embedded.requests.total == READS + LOOKS


async def test_a_record_without_an_id_is_taken_for_an_unreadable_one(
    embedded: EmbeddedUpstream, whole: Records
) -> None:
    bad = id_at(embedded, 150)
    embedded.faults.add(Fault(BadField(bad, "id", "none")))
    catalog = await crawled(embedded, last_good(whole))
    assert found(catalog) == whole
    assert catalog.report.kept == 1
    assert embedded.requests.total == READS + LOOKS + 1


async def test_an_unreadable_record_that_is_served_alone_is_taken_from_there(
    embedded: EmbeddedUpstream,
    whole: Records,
) -> None:
    bad = id_at(embedded, 150)
    embedded.catalog.update_package(bad, title="new")
    embedded.faults.add(Fault(Poisoned(bad), pattern="limit"))
    catalog = await crawled(embedded, last_good(whole))
    assert found(catalog) == await truth(embedded.catalog)
    assert catalog.report.kept == 0


# Upstream fails


@pytest.mark.virtual_time
@pytest.mark.parametrize(("state", "requests"), [("down", 2), ("maintenance", 1), ("database-down", 2 + 2)])
async def test_an_upstream_that_is_down_ends_the_crawl_at_once(
    embedded: EmbeddedUpstream, state: State, requests: int
) -> None:
    embedded.faults.state = state
    with pytest.raises(UpstreamUnavailable):
        await crawled(embedded, limits=replace(CLIENT_LIMITS, attempts=2))
    assert embedded.requests.total == requests


@pytest.mark.parametrize("state", ["down", "maintenance", "database-down"])
async def test_an_upstream_that_goes_down_during_the_crawl_ends_it_soon(state: State) -> None:
    embedded = generated_upstream(1000)

    def progress(kind: str, read: int, count: int) -> None:
        if read == 300:
            embedded.faults.state = state

    with pytest.raises(UpstreamUnavailable):
        await crawled(embedded, limits=CLIENT_LIMITS, progress=progress)
    assert embedded.requests.total <= 3 + 10  # after which the breaker would be open


@pytest.mark.parametrize(("failures", "most"), [(10, 50), (1000, 125)])
async def test_halving_ends_when_too_many_rows_are_unreadable(
    embedded: EmbeddedUpstream, failures: int, most: int
) -> None:
    poison(embedded, *range(0, 210, 2))
    with pytest.raises(UpstreamUnavailable):
        await crawled(embedded, limits=replace(CLIENT_LIMITS, attempts=1, breaker_failures=failures))
    assert embedded.requests.total <= most


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "failure", [StatusFault(503, retry_after="0"), StatusFault(429, retry_after="0"), Dropped()]
)
async def test_failures_that_pass_are_got_over(
    embedded: EmbeddedUpstream, whole: Records, failure: Effect
) -> None:
    embedded.faults.add(Fault(failure, pattern="packages.*offset=200$", times=1))
    embedded.faults.add(Fault(failure, pattern="packages.*limit=2&", times=1))
    assert found(await crawled(embedded, limits=replace(CLIENT_LIMITS, attempts=2))) == whole
    assert embedded.requests.total == READS + LOOKS + 2


async def test_a_failure_that_passes_is_got_over_while_a_page_is_halved(
    embedded: EmbeddedUpstream, whole: Records
) -> None:
    embedded.faults.add(Fault(Dropped(), pattern="limit=13&", times=1))
    (bad,) = poison(embedded, 199)
    assert found(await crawled(embedded)) == whole.without(bad)
    assert embedded.requests.total == READS + 1 + HALVINGS + 2 + LOOKS


async def test_a_page_that_is_no_page_ends_the_crawl(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Truncated(framed=True), pattern="offset=100$"))
    with pytest.raises(UpstreamBadData) as error:
        await crawled(embedded)
    assert str(error.value).startswith("Upstream's answer to /packages/ is not as the v4 API promises: ")
