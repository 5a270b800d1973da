"""A message about a wrong value repeats the beginning and the end of it, however long the value is."""

from __future__ import annotations

import pytest

from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over

LONG = "long" * 10_000

FILTERED = "query ($it: PackageFilter) { packages(filter: $it) { totalCount } }"
ORDERED = "query ($it: PackageOrder) { packages(orderBy: $it) { totalCount } }"
SINCE = "query ($it: DateTime) { removedPackages(since: $it) { totalCount } }"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (FILTERED, {LONG: 1}),
        (FILTERED, {"title": [[LONG]] * 20}),
        (ORDERED, LONG),
        (SINCE, LONG),
        (f'{{ packages(first: "{LONG}") {{ totalCount }} }}', None),
        (f"{{ packages(orderBy: {LONG}) {{ totalCount }} }}", None),
        (f'{{ removedPackages(since: "{LONG}") {{ totalCount }} }}', None),
        (f"{{ {LONG} }}", None),
        (f"{{ packages {{ totalCount }} }} {LONG}", None),
    ],
)
async def test_a_message_repeats_little_of_a_long_value(
    source: CatalogSource, query: str, value: object
) -> None:
    answers = [
        await gateway_over(source, use_engine=use_engine).execute(GraphQLRequest(query, {"it": value}))
        for use_engine in (True, False)
    ]
    assert answers[0].body == answers[1].body
    errors = answers[0].decoded()["errors"]
    assert errors
    for error in errors:
        assert len(error["message"]) <= 1_000


async def test_a_long_message_keeps_its_beginning_and_its_end_and_says_what_is_left_out(
    source: CatalogSource,
) -> None:
    answer = await gateway_over(source).execute(GraphQLRequest(ORDERED, {"it": LONG}))
    (error,) = answer.decoded()["errors"]
    whole = f"Variable '$it' has invalid value: Value '{LONG}' does not exist in 'PackageOrder' enum."
    left_out = len(whole) - 800
    assert error["message"] == f"{whole[:500]}… ({left_out:,} characters left out) …{whole[-300:]}"
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_a_message_of_ordinary_length_is_whole(source: CatalogSource) -> None:
    answer = await gateway_over(source).execute(GraphQLRequest(ORDERED, {"it": "x" * 500}))
    (error,) = answer.decoded()["errors"]
    assert (
        error["message"]
        == f"Variable '$it' has invalid value: Value '{'x' * 500}' does not exist in 'PackageOrder' enum."
    )
