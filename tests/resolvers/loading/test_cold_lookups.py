"""Lookups while there is no catalog yet: what is asked for, waited for, and said."""

from __future__ import annotations

import pytest

from tests.support.gateway_in_process import app_over, client_of
from upstream.embedded import EmbeddedUpstream, Fault, Latency

QUERY = '{ package(slug: "%s") { databaseId } }'


@pytest.mark.parametrize(("slug", "id"), [("683", 1442), ("31337", None)])
async def test_a_slug_of_digits_waits_for_the_first_catalog(
    embedded: EmbeddedUpstream, slug: str, id: int | None
) -> None:
    embedded.catalog.update_package(1442, slug="683")  # which is the id of another
    app = app_over(embedded, crawl="on", storage=":memory:", crawl_wait=300, limit_seconds=300)
    async with client_of(app) as http:
        answer = (await http.get("/graphql", params={"query": QUERY % slug})).json()
    assert answer == {"data": {"package": None if id is None else {"databaseId": id}}}


async def test_a_slug_of_digits_without_a_catalog_is_an_error_that_says_what_is_missing(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Latency(60)))
    app = app_over(embedded, crawl="on", storage=":memory:", crawl_wait=0.01)
    async with client_of(app) as http:
        answer = (await http.get("/graphql", params={"query": QUERY % "1599"})).json()
    (error,) = answer["errors"]
    assert error["message"] == (
        "This needs the whole catalog, which is still being read. Try again in a moment."
    )
    assert error["extensions"]["retryAfter"] == 5
