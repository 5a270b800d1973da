"""Tests the scalars of the graph: where each is specified, and which moments are taken."""

from __future__ import annotations

from datetime import datetime
from itertools import product

import httpx
import pytest
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

from schema.date_time import DATE_TIME
from tests.support.crawled_gateway import app, http
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

__all__ = ["app", "http"]

BUILT_IN = {"Int", "Float", "String", "Boolean", "ID"}
CREATED = "query($after: DateTime) { packages(filter: {created: {after: $after}}) { totalCount } }"


async def test_every_scalar_of_the_graph_says_where_it_is_specified(http: httpx.AsyncClient) -> None:
    query = "{ __schema { types { kind name specifiedByURL } } }"
    types = (await http.post("/graphql", json={"query": query})).json()["data"]["__schema"]["types"]
    addresses = {
        each["name"]: each["specifiedByURL"]
        for each in types
        if each["kind"] == "SCALAR"
        and each["name"] not in BUILT_IN
        and not each["name"].startswith(("_", "link__"))  # Federation's own
    }
    assert addresses.keys() == {"DateTime", "JSON"}
    assert all(address and address.startswith("https://") for address in addresses.values()), addresses


async def created_after(http: httpx.AsyncClient, after: str) -> int:
    """Return how many packages were created from this moment on, which a variable and a literal both name."""
    variable = await http.post("/graphql", json={"query": CREATED, "variables": {"after": after}})
    literal = CREATED.replace("query($after: DateTime) ", "").replace("$after", f'"{after}"')
    assert (await http.post("/graphql", json={"query": literal})).json() == variable.json()
    count: int = variable.json()["data"]["packages"]["totalCount"]
    return count


@pytest.mark.parametrize(
    ("moment", "offset", "is_after"),
    [
        ("2026-01-01", "2026-01-01T00:00:00Z", True),
        ("2026-01-01", "2025-12-31T23:59:59Z", False),
        ("2024-02-29", "2024-02-29T00:00:00+00:00", True),
    ],
)
async def test_a_date_is_the_start_of_its_day_in_utc(
    app: GatewayApp,
    http: httpx.AsyncClient,
    embedded: EmbeddedUpstream,
    moment: str,
    offset: str,
    is_after: bool,
) -> None:
    before = await created_after(http, moment)
    assert before == await created_after(http, f"{moment}T00:00:00Z")
    assert before == await created_after(http, f"{moment}T02:00:00+02:00")
    # Of the day before the gateway's catalog gets one that was created at another moment.
    embedded.catalog.update_package(1599, created="2000-01-01T00:00:00Z")
    await app.parts.gateway.source.crawl()
    without = await created_after(http, moment)
    embedded.catalog.update_package(1599, created=offset)
    await app.parts.gateway.source.crawl()
    assert await created_after(http, moment) == without + is_after


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("2026-02-30", 'There is no day "2026-02-30".'),
        ("2026-13-01", 'There is no day "2026-13-01".'),
        ("0000-01-01", 'There is no day "0000-01-01".'),
        ("yesterday", 'Value cannot represent a DateTime: "yesterday".'),
    ],
)
async def test_what_is_no_moment_is_refused_with_a_sentence(
    http: httpx.AsyncClient, moment: str, sentence: str
) -> None:
    response = await http.post("/graphql", json={"query": CREATED, "variables": {"after": moment}})
    assert sentence in response.json()["errors"][0]["message"]
    assert response.status_code == 422


async def test_a_moment_without_an_offset_is_not_guessed(http: httpx.AsyncClient) -> None:
    body = {"query": CREATED, "variables": {"after": "2026-01-01T00:00:00"}}
    (error,) = (await http.post("/graphql", json=body)).json()["errors"]
    assert error["message"].endswith('without an offset; add one, like "Z".')


DAYS = ["2020-02-29", "2021-02-29", "0001-01-01", "9999-12-31", "2020-13-01"]
TIMES = ["00:00:00", "23:59:59", "24:00:00", "12:00:60", "12:00:00.5", "12:00:00.123456", "12:00"]
OFFSETS = ["Z", "z", "", "+00:00", "-00:00", "+23:59", "-05:30", "+24:00", "+05:60", "+0530"]


def test_moments_are_read_as_strawberry_reads_them() -> None:
    for text in map("{}T{}{}".format, *zip(*product(DAYS, TIMES, OFFSETS), strict=True)):
        assert _read(DATE_TIME, text) == _read(DateTimeDefinition, text), text


def _read(scalar: ScalarDefinition, text: str) -> object:
    assert scalar.parse_value is not None
    try:
        moment: datetime = scalar.parse_value(text)
    except Exception as error:
        return str(error)
    return moment.replace(tzinfo=None), moment.utcoffset()
