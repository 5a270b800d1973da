"""The generated moments are as far away on any day as on the first; the real records stay as they were taken."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.gateway_in_process import source_over
from tests.support.generated_upstreams import shared_rows
from upstream.embedded import SEED_IDS, EmbeddedUpstream, seed_record
from upstream.embedded.shifted_dates import DAY_ZERO, NEWEST, later

MOMENTS = ("created", "modified", "last_updated", "last_fetched")


class Calendar:
    """Tells the day, until it is told another."""

    def __init__(self, day: date) -> None:
        self.day = day

    def __call__(self) -> date:
        return self.day


async def records(upstream: EmbeddedUpstream, kind: str) -> dict[int, dict[str, Any]]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(upstream), base_url="http://upstream"
    ) as client:
        page = (await client.get(f"/api/v4/{kind}/?limit=1000")).json()
        return {each["id"]: each for each in page["results"]}


def away(one: str, other: str) -> timedelta:
    return datetime.fromisoformat(other) - datetime.fromisoformat(one)


@pytest.mark.parametrize("days", [1, 285, 3000])
async def test_so_many_days_later_everything_that_happened_is_so_many_days_later(days: int) -> None:
    today = DAY_ZERO + timedelta(days=days)
    before = await records(EmbeddedUpstream(catalog=shared_rows(300)), "packages")
    after = await records(EmbeddedUpstream(catalog=shared_rows(300), today=lambda: today), "packages")
    newest = sorted(before)[-NEWEST:]
    hour = timedelta(hours=1)
    for key, record in before.items():
        assert {name: value for name, value in record.items() if name not in MOMENTS} == {
            name: value for name, value in after[key].items() if name not in MOMENTS
        }
        for name in MOMENTS:
            if record[name] is None:
                assert after[key][name] is None
            elif key in SEED_IDS or (name == "created" and key not in newest):
                assert after[key][name] == record[name]
            else:
                # The time of the day is that of New York, where summer may have begun or ended meanwhile.
                assert after[key][name][10:-6] == record[name][10:-6]
                assert abs(away(record[name], after[key][name]) - timedelta(days=days)) <= hour
    created = [datetime.fromisoformat(after[key]["created"]) for key in newest if key not in SEED_IDS]
    assert created == sorted(created)
    assert timedelta(0) < datetime.fromisoformat(f"{today}T23:59:59+00:00") - created[-1] < timedelta(days=2)


async def test_grids_were_edited_lately_and_created_when_they_were() -> None:
    before = await records(EmbeddedUpstream(catalog=shared_rows(300)), "grids")
    after = await records(
        EmbeddedUpstream(catalog=shared_rows(300), today=lambda: DAY_ZERO + timedelta(days=7)), "grids"
    )
    assert all(after[key]["created"] == grid["created"] for key, grid in before.items())
    assert all(away(grid["modified"], after[key]["modified"]).days in (6, 7) for key, grid in before.items())


async def test_the_real_records_stay_as_they_were_taken() -> None:
    upstream = EmbeddedUpstream(catalog=shared_rows(300), today=lambda: date(2031, 7, 1))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(upstream), base_url="https://djangopackages.org"
    ) as client:
        for key in SEED_IDS:
            record = (await client.get(f"/api/v4/packages/{key}/")).json()
            assert [record[name] for name in MOMENTS] == [seed_record(key)[name] for name in MOMENTS]


async def test_a_day_that_begins_while_it_runs_is_taken_up_by_what_was_answered_before() -> None:
    calendar = Calendar(DAY_ZERO)
    upstream = EmbeddedUpstream(catalog=shared_rows(300), today=calendar)
    newest = max(upstream.catalog.packages)
    address = f"/api/v4/packages/{newest}/"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(upstream), base_url="http://upstream"
    ) as client:
        first = [(await client.get(address)).json()["modified"] for _ in range(2)]
        calendar.day += timedelta(days=1)
        second = [(await client.get(address)).json()["modified"] for _ in range(2)]
    assert away(first[1], second[0]) == timedelta(days=1)
    assert second[0] == second[1]


async def test_a_search_tells_the_same_moments() -> None:
    upstream = EmbeddedUpstream(catalog=shared_rows(300), today=lambda: DAY_ZERO + timedelta(days=100))
    packages = {each["slug"]: each for each in (await records(upstream, "packages")).values()}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(upstream), base_url="http://upstream"
    ) as client:
        hits = (await client.get("/api/v4/search/?q=django")).json()
    found = [each for each in hits if each["item_type"] == "package"]
    assert len(found) > 5
    assert all(each["last_committed"] == packages[each["slug"]]["last_updated"] for each in found)


def test_a_moment_has_the_offset_of_its_new_day() -> None:
    assert later("2026-02-16T00:30:00-05:00", 150) == "2026-07-16T00:30:00-04:00"
    assert later("2026-02-16T00:30:00.123456-05:00", 365) == "2027-02-16T00:30:00.123456-05:00"
    assert later(None, 1) is None


async def test_a_gateway_takes_the_catalog_of_the_next_day() -> None:
    calendar = Calendar(DAY_ZERO + timedelta(days=285))
    async with source_over(EmbeddedUpstream(catalog=shared_rows(300), today=calendar)) as source:
        first = (await source.crawl()).snapshot.catalog
        calendar.day += timedelta(days=1)
        second = (await source.crawl()).snapshot.catalog
    assert first.version != second.version
    assert first.packages.keys() == second.packages.keys()
