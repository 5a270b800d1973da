"""Tests subscriptions as server-sent events: GraphQL over SSE, distinct connections mode."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.streaming_gateway import SUBSCRIPTION, Served, events_of, http_client, served, server_sent

TITLE = '{ category(slug: "apps") { title } }'
ALSO_EVENTS = "application/graphql-response+json, application/json, text/event-stream"


def a_change(gateway: Served) -> str:
    """Let there be a change, and give the cursor ahead of it."""
    cursor = gateway.cursor()
    gateway.upstream.catalog.update_package(1599, title=f"behind {cursor}"[:100])
    gateway.crawl()
    return cursor


async def collected(gateway: Served, query: str, **options: Any) -> list[tuple[str, Any]]:
    async with http_client(gateway) as http:
        return [event async for event in server_sent(http, query, **options)]


async def test_a_query_is_one_event_for_those_who_take_nothing_else(gateway: Served) -> None:
    assert await collected(gateway, TITLE) == [
        ("next", {"data": {"category": {"title": "Apps"}}}),
        ("complete", None),
    ]


@pytest.mark.parametrize("accept", [ALSO_EVENTS, "text/event-stream, */*", "text/event-stream;q=0, */*"])
async def test_a_query_is_answered_as_json_for_those_who_take_that_too(gateway: Served, accept: str) -> None:
    async with http_client(gateway) as http:
        response = await http.post("/graphql", json={"query": TITLE}, headers={"Accept": accept})
    assert response.json() == {"data": {"category": {"title": "Apps"}}}
    assert "json" in response.headers["Content-Type"]


@pytest.mark.parametrize("accept", ["text/event-stream", ALSO_EVENTS, "Text/Event-Stream; q=0.5"])
async def test_a_subscription_is_a_stream_for_all_who_take_streams(gateway: Served, accept: str) -> None:
    since = a_change(gateway)
    async with (
        http_client(gateway) as http,
        aclosing(server_sent(http, SUBSCRIPTION, accept, since=since)) as events,
    ):
        name, body = await anext(events)
    assert name == "next"
    assert body["data"]["catalogChanged"]["slug"] == "django-celery-email"


async def test_a_browser_can_get_a_stream(gateway: Served) -> None:
    """EventSource knows nothing but GET."""
    query = f'subscription {{ catalogChanged(since: "{a_change(gateway)}") {{ slug }} }}'
    headers = {"Accept": "text/event-stream"}
    async with (
        http_client(gateway) as http,
        http.stream("GET", "/graphql", params={"query": query}, headers=headers) as response,
        aclosing(events_of(response)) as events,
    ):
        assert await anext(events) == (
            "next",
            {"data": {"catalogChanged": {"slug": "django-celery-email"}}},
        )
        assert response.headers["Cache-Control"] == "no-cache, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/graphql-response+json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_without_a_stream_is_refused_with_a_sentence(
    gateway: Served, method: str, accept: str
) -> None:
    params = {"query": "subscription { catalogChanged { slug } }"}
    sent: dict[str, Any] = {"params": params} if method == "GET" else {"json": params}
    async with http_client(gateway) as http:
        response = await http.request(method, "/graphql", headers={"Accept": accept}, **sent)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["message"] == (
        "A subscription has many answers; ask for them with the header Accept: text/event-stream, "
        "or over a WebSocket with the subprotocol graphql-transport-ws."
    )
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_a_head_of_a_subscription_does_not_wait_for_events(gateway: Served) -> None:
    async with http_client(gateway) as http:
        params = {"query": "subscription { catalogChanged { slug } }"}
        response = await http.head("/graphql", params=params, headers={"Accept": "text/event-stream"})
    assert response.headers["Content-Type"].startswith("application/json")


NO_CURSOR = "catalogChanged(since:) is not a cursor of the change feed; take one from changes."


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        (
            "subscription { nothing }",
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'nothing' on type 'Subscription'.",
        ),
        (
            "subscription { catalogChanged { slug } more: catalogChanged { slug } }",
            "GRAPHQL_VALIDATION_FAILED",
            "Anonymous Subscription must select only one top level field.",
        ),
        (
            "subscription A { catalogChanged { slug } } query B { __typename }",
            "GRAPHQL_VALIDATION_FAILED",
            "The document has several operations (A, B); set operationName to the one to run.",
        ),
        (
            "subscription($since: String!) { catalogChanged(since: $since) { slug } }",
            "BAD_USER_INPUT",
            "Variable '$since' has invalid value: Expected a value of non-null type 'String!' to be provided.",
        ),
        ('subscription { catalogChanged(since: "x") { slug } }', "BAD_USER_INPUT", NO_CURSOR),
    ],
)
async def test_a_subscription_that_cannot_start_says_why_and_ends(
    gateway: Served, query: str, code: str, sentence: str
) -> None:
    (name, body), *rest = await collected(gateway, query)
    assert name == "next"
    (error,) = body.pop("errors")
    assert (error["message"], error["extensions"]) == (sentence, {"code": code})
    assert body == {}
    assert rest == [("complete", None)]


async def test_what_is_no_graphql_request_is_refused_as_ever(gateway: Served) -> None:
    async with http_client(gateway) as http:
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
        response = await http.post("/graphql", content="{", headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_client_that_leaves_leaves_nothing_behind(gateway: Served) -> None:
    since = a_change(gateway)
    gateway.wait_until_idle()
    async with http_client(gateway) as http, aclosing(server_sent(http, SUBSCRIPTION, since=since)) as events:
        await anext(events)
        assert gateway.tasks()
    gateway.wait_until_idle()


async def test_a_file_that_cannot_be_used_is_a_sentence_without_its_path(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        gateway.storage.unlink()
        gateway.storage.write_bytes(b"no catalog")
        (_name, body), *rest = await collected(gateway, SUBSCRIPTION)
    (error,) = body["errors"]
    assert error == {
        "message": "The gateway's storage cannot be used now. Try again in a moment.",
        "locations": [{"line": 1, "column": 32}],
        "path": ["catalogChanged"],
        "extensions": {"code": "STORAGE_UNAVAILABLE"},
    }
    assert rest == [("complete", None)]


async def test_a_feed_that_begins_anew_ends_the_stream_with_a_sentence(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        since = a_change(gateway)
        async with (
            http_client(gateway) as http,
            aclosing(server_sent(http, SUBSCRIPTION, since=since)) as events,
        ):
            await anext(events)
            gateway.storage.unlink()
            gateway.crawl()
            rest = [event async for event in events]
    assert rest[-2][1]["errors"][0]["message"].startswith("The change feed began anew; ")
    assert rest[-1] == ("complete", None)


def test_the_error_is_the_same_as_that_of_changes(gateway: Served) -> None:
    answer = httpx.post(
        gateway.graphql, json={"query": '{ changes(since: "x") { totalCount } }'}, timeout=60
    ).json()
    assert answer["errors"][0]["message"] == NO_CURSOR.replace("catalogChanged", "changes")
