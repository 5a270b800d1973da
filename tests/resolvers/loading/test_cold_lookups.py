"""Tests lookups while there is no catalog yet: what they ask for, wait for, and say."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

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


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the address of another API does: whatever is asked, there is no such thing."""
    await JSONResponse({"detail": "Not found."}, 404)(scope, receive, send)


async def test_an_upstream_that_has_nothing_anywhere_does_not_show_that_there_is_no_such_package() -> None:
    async with client_of(app_over(nothing_here)) as http:
        answer = (await http.get("/graphql", params={"query": QUERY % "django-cacheback"})).json()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UPSTREAM_BAD_DATA"
    assert error["message"] == "Upstream has no /categories/; check that its address is that of a v4 API."


async def test_the_first_404_is_believed_once_a_list_has_answered(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded)) as http:
        for slug in ("gone-for-good", "never-there"):
            answer = (await http.get("/graphql", params={"query": QUERY % slug})).json()
            assert answer == {"data": {"package": None}}
    assert list(embedded.requests.by_target) == [
        "/api/v4/packages/gone-for-good/",
        "/api/v4/categories/?limit=1&offset=0",
        "/api/v4/packages/never-there/",
    ]


async def test_a_404_needs_no_list_after_a_record_has_come(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded)) as http:
        await http.get("/graphql", params={"query": QUERY % "django-cacheback"})
        await http.get("/graphql", params={"query": QUERY % "never-there"})
    assert list(embedded.requests.by_target) == [
        "/api/v4/packages/django-cacheback/",
        "/api/v4/packages/never-there/",
    ]


async def test_those_who_get_a_first_404_at_once_share_one_look_at_a_list(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded)) as http:
        asked = (http.get("/graphql", params={"query": QUERY % f"none-{number}"}) for number in range(8))
        answers = [response.json() for response in await asyncio.gather(*asked)]
    assert answers == [{"data": {"package": None}}] * 8
    assert embedded.requests.by_target["/api/v4/categories/?limit=1&offset=0"] == 1


async def test_they_share_its_failure_too() -> None:
    lists = 0

    async def nothing_here_after_a_while(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal lists
        if scope["path"] == "/api/v4/categories/":
            lists += 1
            for _ in range(1000):  # turns of the loop, in which all the others get their 404
                await asyncio.sleep(0)
        await nothing_here(scope, receive, send)

    async with client_of(app_over(nothing_here_after_a_while, limit_waiting=100)) as http:
        asked = (http.get("/graphql", params={"query": QUERY % f"none-{number}"}) for number in range(8))
        answers = [response.json() for response in await asyncio.gather(*asked)]
    assert [answer["errors"][0]["extensions"]["code"] for answer in answers] == ["UPSTREAM_BAD_DATA"] * 8
    assert lists == 1
