"""Tests pages that fail, records that are not where they should be, and records that do not fit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from tests.support.batcher_with_held_answers import HeldBatcher, settle
from upstream.client.upstream_errors import UpstreamBadData, UpstreamUnavailable
from upstream.client.v4_records import PACKAGE, PackageRecord, Page
from upstream.embedded import BadField, Fault, RemoveAfterList, StatusFault

FIRST_PAGE = "/packages/?limit=100&offset=0"
SECOND_PAGE = "/packages/?limit=100&offset=100"

PageOf = Callable[[HeldBatcher, int, int], asyncio.Task[Page[PackageRecord]]]

# A page that fails


@pytest.mark.parametrize("page", [HeldBatcher.crawl, HeldBatcher.page])
async def test_a_failed_page_is_made_good_by_details_of_the_wanted_records(
    held: HeldBatcher, page: PageOf
) -> None:
    held.know_positions()
    held.embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/?"))
    held.hold()
    under_way = page(held, 100, 100)
    await held.requests_came(1)
    wanted = held.ids[100:200:30]
    waiting = held.fetch(*wanted)
    planned = held.fetch(*held.ids[210:213])
    await held.requests_came(2)
    held.answer_all()
    with pytest.raises(UpstreamUnavailable):
        await under_way
    assert [record.id for record in (await waiting).values() if isinstance(record, PackageRecord)] == wanted
    assert all(isinstance(record, PackageRecord) for record in (await planned).values())
    assert sorted(held.asked[2:]) == sorted(f"/packages/{id}/" for id in [*wanted, *held.ids[210:213]])


async def test_where_one_page_of_the_whole_list_fails_only_its_records_are_asked_for_alone(
    held: HeldBatcher,
) -> None:
    held.batcher.positions[PACKAGE.singular].count = 300
    held.embedded.faults.add(Fault(StatusFault(500), pattern="offset=250"))
    found = await held.fetch(*held.ids[0:300:3])
    assert all(isinstance(record, PackageRecord) for record in found.values())
    failed = held.ids[252:300:3]
    assert sorted(held.asked[:2]) == ["/packages/?limit=250&offset=0", "/packages/?limit=250&offset=250"]
    assert sorted(held.asked[2:]) == sorted(f"/packages/{id}/" for id in failed)


async def test_a_failed_page_fails_for_everyone_who_wants_the_page(held: HeldBatcher) -> None:
    held.embedded.faults.add(Fault(StatusFault(503), times=1))
    outcomes = await asyncio.gather(held.page(20, 0), held.page(20, 0), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamUnavailable] * 2
    assert len((await held.page(20, 0)).records) == 20
    assert len(held.asked) == 2


async def test_whoever_waits_for_an_equal_page_of_the_crawl_that_fails_asks_again(held: HeldBatcher) -> None:
    held.embedded.faults.add(Fault(StatusFault(503), times=1))
    held.hold()
    crawl = held.crawl(100, 0)
    await held.requests_came(1)
    page = held.page(100, 0)
    await settle()
    held.answer_all()
    with pytest.raises(UpstreamUnavailable):
        await crawl
    assert len((await page).records) == 100
    assert held.asked == [FIRST_PAGE, FIRST_PAGE]


# A record that is not where it should be


@pytest.mark.parametrize("page", [HeldBatcher.crawl, HeldBatcher.page])
async def test_a_record_that_has_moved_off_its_page_is_asked_for_alone(
    held: HeldBatcher, page: PageOf
) -> None:
    held.know_positions()
    held.hold()
    under_way = page(held, 100, 0)
    await held.requests_came(1)
    moved = held.ids[99]
    wanted = held.fetch(moved, held.ids[98])
    await settle()
    held.embedded.catalog.insert_package()
    held.answer_all()
    assert moved not in [record.id for record in (await under_way).records]
    assert [record.id for record in (await wanted).values() if isinstance(record, PackageRecord)] == [
        moved,
        held.ids[98],
    ]
    assert held.asked == [FIRST_PAGE, f"/packages/{moved}/"]


async def test_a_record_that_has_moved_off_a_planned_page_is_asked_for_alone(held: HeldBatcher) -> None:
    held.know_positions()
    held.embedded.catalog.remove_package(held.ids[0])
    found = await held.fetch(*held.ids[50:53])
    assert [record.id for record in found.values() if isinstance(record, PackageRecord)] == held.ids[50:53]
    assert held.asked == ["/packages/?limit=3&offset=50", f"/packages/{held.ids[50]}/"]


async def test_a_record_that_is_gone_is_missing_although_a_page_was_expected_to_have_it(
    held: HeldBatcher,
) -> None:
    held.know_positions()
    gone = held.ids[51]
    held.embedded.faults.add(Fault(RemoveAfterList(gone)))
    await held.page(1, 0)
    found = await held.fetch(*held.ids[50:53])
    assert found[gone] is None
    assert [record.id for record in found.values() if isinstance(record, PackageRecord)] == [
        held.ids[50],
        held.ids[52],
    ]


# A record that does not fit


async def test_a_bad_record_on_a_page_is_left_out_counted_and_logged(
    held: HeldBatcher, caplog: pytest.LogCaptureFixture
) -> None:
    bad = held.ids[10]
    held.embedded.faults.add(Fault(BadField(bad, "repo_watchers", "many")))
    with caplog.at_level(logging.WARNING):
        page = await held.page(20, 0)
    assert [record.id for record in page.records] == [*held.ids[:10], *held.ids[11:20]]
    assert held.client.bad_records == 1
    # The drift watch says too which field has another type.
    (line,) = [message for message in caplog.messages if "Upstream has changed" not in message]
    assert f"upstream sent a package that does not fit, id {bad}: " in line
    # Nobody wanted it, so it is not asked for.
    assert held.asked == ["/packages/?limit=20&offset=0"]


@pytest.mark.parametrize("page", [None, HeldBatcher.crawl, HeldBatcher.page])
async def test_a_bad_record_that_is_wanted_is_asked_for_alone_and_fails_alone(
    held: HeldBatcher, page: PageOf | None
) -> None:
    held.know_positions()
    bad = held.ids[10]
    held.embedded.faults.add(Fault(BadField(bad, "repo_watchers", "many")))
    held.hold()
    if page is not None:
        page(held, 20, 0)
        await held.requests_came(1)
    wanted = held.fetch(*held.ids[9:12])
    await settle()
    held.answer_all()
    found = await wanted
    assert isinstance(found.pop(bad), UpstreamBadData)
    assert [record.id for record in found.values() if isinstance(record, PackageRecord)] == [
        held.ids[9],
        held.ids[11],
    ]
    assert len(held.asked) == 2
    assert held.asked[1] == f"/packages/{bad}/"
    assert held.client.bad_records == 1
    # That it is bad is remembered.
    assert isinstance((await held.fetch(bad))[bad], UpstreamBadData)
    assert len(held.asked) == 2
