"""Tests what the client tells of the pages it got: to the cost model, and to the limiter (contract sections 2 and
7)."""

from __future__ import annotations

from typing import Any

import pytest

from upstream.client.api_client import Client
from upstream.client.concurrency_limiter import Limiter
from upstream.client.request_costs import Costs, nominal_detail, nominal_page
from upstream.client.v4_records import CATEGORY, PACKAGE, Kind
from upstream.embedded import EmbeddedUpstream

FAR = 10**9


class Told(Costs):
    """Keeps what it was told of pages: how many records they had, and how many were skipped."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[tuple[int, int]] = []

    def measured_page(self, kind: Kind[Any], records: int, seconds: float, skipped: int = 0) -> None:
        assert seconds > 0
        self.pages.append((records, skipped))


class Expecting(Limiter):
    """Keeps how long the answers should have taken."""

    def __init__(self) -> None:
        super().__init__()
        self.nominal: list[float] = []

    def succeeded(self, seconds: float, nominal: float, sort: str = "", among: int = 0) -> None:
        self.nominal.append(nominal)


@pytest.mark.parametrize(
    ("limit", "offset", "records", "skipped"),
    [
        (20, 0, 20, 0),
        (20, 200, 20, 200),
        (20, 290, 10, 290),
        (20, 299, 1, 299),
        # Behind the end upstream only counts.
        (20, 300, 0, 0),
        (1, FAR, 0, 0),
    ],
)
async def test_a_page_is_measured_by_what_it_has_and_what_was_skipped_for_it(
    client: Client, limit: int, offset: int, records: int, skipped: int
) -> None:
    client.costs = told = Told()
    await client.page(PACKAGE, limit=limit, offset=offset)
    assert told.pages == [(records, skipped)]


@pytest.mark.parametrize(
    ("limit", "offset", "nominal"),
    [
        (20, 0, nominal_page(PACKAGE, 20)),
        (20, 200, nominal_page(PACKAGE, 20, 200)),
        (100_000, 290, nominal_page(PACKAGE, 10, 290)),
        (20, 300, nominal_page(PACKAGE, 0)),
        (1, FAR, nominal_page(PACKAGE, 0)),
    ],
)
async def test_the_limiter_expects_what_a_page_can_have(
    client: Client, limit: int, offset: int, nominal: float
) -> None:
    await client.page(PACKAGE, limit=1)  # tells how long the list is
    client.exchanger.limiter = limiter = Expecting()
    await client.page(PACKAGE, limit=limit, offset=offset)
    assert limiter.nominal == [nominal]


async def test_of_a_list_of_unknown_length_the_limiter_expects_a_full_page_at_its_head(
    client: Client,
) -> None:
    client.exchanger.limiter = limiter = Expecting()
    await client.page(PACKAGE, limit=20, offset=FAR)
    await client.page(CATEGORY, limit=100)
    assert limiter.nominal == [nominal_page(PACKAGE, 20), nominal_page(CATEGORY, 100)]


async def test_the_limiter_expects_what_the_list_had_last(client: Client, embedded: EmbeddedUpstream) -> None:
    await client.page(PACKAGE, limit=1)
    for id in sorted(embedded.catalog.packages)[:100]:
        embedded.catalog.remove_package(id)
    await client.page(PACKAGE, limit=1)
    client.exchanger.limiter = limiter = Expecting()
    await client.page(PACKAGE, limit=20, offset=190)
    await client.detail(PACKAGE, 999_999)
    assert limiter.nominal == [nominal_page(PACKAGE, 10, 190), nominal_detail()]
