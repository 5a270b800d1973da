"""Pages that fail, records that are not where they should be, and records that do not fit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from tests.support.batcher_with_held_answers import Stage, settle
from upstream.embedded import BadField, Fault, RemoveAfterList, Status
from upstream.errors import UpstreamBadData, UpstreamUnavailable
from upstream.records import PACKAGE, Package, Page

FIRST_PAGE = "/packages/?limit=100&offset=0"
SECOND_PAGE = "/packages/?limit=100&offset=100"

PageOf = Callable[[Stage, int, int], asyncio.Task[Page[Package]]]

# A page that fails


@pytest.mark.parametrize("page", [Stage.crawl, Stage.page])
async def test_a_failed_page_is_made_good_by_details_of_the_wanted_records(
    stage: Stage, page: PageOf
) -> None:
    stage.know_places()
    stage.embedded.faults.add(Fault(Status(500), path="/api/v4/packages/?"))
    stage.hold()
    under_way = page(stage, 100, 100)
    await stage.arrival(1)
    wanted = stage.ids[100:200:30]
    aboard = stage.fetch(*wanted)
    planned = stage.fetch(*stage.ids[210:213])
    await stage.arrival(2)
    stage.answer_all()
    with pytest.raises(UpstreamUnavailable):
        await under_way
    assert [record.id for record in (await aboard).values() if isinstance(record, Package)] == wanted
    assert all(isinstance(record, Package) for record in (await planned).values())
    assert sorted(stage.asked[2:]) == sorted(f"/packages/{id}/" for id in [*wanted, *stage.ids[210:213]])


async def test_where_one_page_of_the_whole_list_fails_only_its_records_are_asked_for_alone(
    stage: Stage,
) -> None:
    stage.batcher.places[PACKAGE.singular].count = 300
    stage.embedded.faults.add(Fault(Status(500), pattern="offset=250"))
    found = await stage.fetch(*stage.ids[0:300:3])
    assert all(isinstance(record, Package) for record in found.values())
    failed = stage.ids[252:300:3]
    assert sorted(stage.asked[:2]) == ["/packages/?limit=250&offset=0", "/packages/?limit=250&offset=250"]
    assert sorted(stage.asked[2:]) == sorted(f"/packages/{id}/" for id in failed)


async def test_a_failed_page_fails_for_everyone_who_wants_the_page(stage: Stage) -> None:
    stage.embedded.faults.add(Fault(Status(503), times=1))
    outcomes = await asyncio.gather(stage.page(20, 0), stage.page(20, 0), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamUnavailable] * 2
    assert len((await stage.page(20, 0)).records) == 20
    assert len(stage.asked) == 2


async def test_whoever_waits_for_an_equal_page_of_the_crawl_that_fails_asks_again(stage: Stage) -> None:
    stage.embedded.faults.add(Fault(Status(503), times=1))
    stage.hold()
    crawl = stage.crawl(100, 0)
    await stage.arrival(1)
    page = stage.page(100, 0)
    await settle()
    stage.answer_all()
    with pytest.raises(UpstreamUnavailable):
        await crawl
    assert len((await page).records) == 100
    assert stage.asked == [FIRST_PAGE, FIRST_PAGE]


# A record that is not where it should be


@pytest.mark.parametrize("page", [Stage.crawl, Stage.page])
async def test_a_record_that_has_moved_off_its_page_is_asked_for_alone(stage: Stage, page: PageOf) -> None:
    stage.know_places()
    stage.hold()
    under_way = page(stage, 100, 0)
    await stage.arrival(1)
    moved = stage.ids[99]
    wanted = stage.fetch(moved, stage.ids[98])
    await settle()
    stage.embedded.catalogue.insert_package()
    stage.answer_all()
    assert moved not in [record.id for record in (await under_way).records]
    assert [record.id for record in (await wanted).values() if isinstance(record, Package)] == [
        moved,
        stage.ids[98],
    ]
    assert stage.asked == [FIRST_PAGE, f"/packages/{moved}/"]


async def test_a_record_that_has_moved_off_a_planned_page_is_asked_for_alone(stage: Stage) -> None:
    stage.know_places()
    stage.embedded.catalogue.remove_package(stage.ids[0])
    found = await stage.fetch(*stage.ids[50:53])
    assert [record.id for record in found.values() if isinstance(record, Package)] == stage.ids[50:53]
    assert stage.asked == ["/packages/?limit=3&offset=50", f"/packages/{stage.ids[50]}/"]


async def test_a_record_that_is_gone_is_missing_although_a_page_was_expected_to_have_it(stage: Stage) -> None:
    stage.know_places()
    gone = stage.ids[51]
    stage.embedded.faults.add(Fault(RemoveAfterList(gone)))
    await stage.page(1, 0)
    found = await stage.fetch(*stage.ids[50:53])
    assert found[gone] is None
    assert [record.id for record in found.values() if isinstance(record, Package)] == [
        stage.ids[50],
        stage.ids[52],
    ]


# A record that does not fit


async def test_a_bad_record_on_a_page_is_left_out_counted_and_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    bad = stage.ids[10]
    stage.embedded.faults.add(Fault(BadField(bad, "repo_watchers", "many")))
    with caplog.at_level(logging.WARNING):
        page = await stage.page(20, 0)
    assert [record.id for record in page.records] == [*stage.ids[:10], *stage.ids[11:20]]
    assert stage.client.bad_records == 1
    (line,) = caplog.messages
    assert f"upstream sent a package that does not fit, id {bad}: " in line
    # Nobody wanted it, so it is not asked for.
    assert stage.asked == ["/packages/?limit=20&offset=0"]


@pytest.mark.parametrize("page", [None, Stage.crawl, Stage.page])
async def test_a_bad_record_that_is_wanted_is_asked_for_alone_and_fails_alone(
    stage: Stage, page: PageOf | None
) -> None:
    stage.know_places()
    bad = stage.ids[10]
    stage.embedded.faults.add(Fault(BadField(bad, "repo_watchers", "many")))
    stage.hold()
    if page is not None:
        page(stage, 20, 0)
        await stage.arrival(1)
    wanted = stage.fetch(*stage.ids[9:12])
    await settle()
    stage.answer_all()
    found = await wanted
    assert isinstance(found.pop(bad), UpstreamBadData)
    assert [record.id for record in found.values() if isinstance(record, Package)] == [
        stage.ids[9],
        stage.ids[11],
    ]
    assert len(stage.asked) == 2
    assert stage.asked[1] == f"/packages/{bad}/"
    assert stage.client.bad_records == 1
    # That it is bad is remembered.
    assert isinstance((await stage.fetch(bad))[bad], UpstreamBadData)
    assert len(stage.asked) == 2
