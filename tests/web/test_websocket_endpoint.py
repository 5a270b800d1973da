"""Tests operations over a WebSocket, by graphql-transport-ws: answers, errors, limits, and who may connect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support.streaming_gateway import (
    SUBSCRIPTION,
    Served,
    received,
    send,
    served,
    socket,
    subscribe,
)
from web.websocket_endpoint import MAX_OPERATIONS

TITLE = '{ category(slug: "apps") { title } }'
FOREVER = "subscription { catalogChanged { slug } }"


def a_change(gateway: Served) -> str:
    cursor = gateway.cursor()
    gateway.upstream.catalog.update_package(1599, title=f"behind {cursor}"[:100])
    gateway.crawl()
    return cursor


async def test_a_query_has_one_answer(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        await subscribe(websocket, "1", TITLE)
        payload = {"data": {"category": {"title": "Apps"}}}
        assert await received(websocket) == {"id": "1", "type": "next", "payload": payload}
        assert await received(websocket) == {"id": "1", "type": "complete"}


async def test_an_operation_is_explained_if_its_extensions_ask_for_that(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        for id, query in (("1", TITLE), ("2", SUBSCRIPTION)):
            payload = {"query": query, "extensions": {"explain": True}}
            await send(websocket, type="subscribe", id=id, payload=payload)
            message = await received(websocket)
            assert (message["id"], message["type"]) == (id, "next")
            assert message["payload"]["data"] is None
            assert message["payload"]["extensions"]["explain"]["allowed"] is True
            assert await received(websocket) == {"id": id, "type": "complete"}


async def test_a_ping_is_answered(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        await send(websocket, type="ping")
        assert await received(websocket) == {"type": "pong"}


async def test_subscriptions_of_one_connection_do_not_disturb_each_other(gateway: Served) -> None:
    since = a_change(gateway)
    async with socket(gateway) as websocket:
        for id in "abc":
            await subscribe(websocket, id, SUBSCRIPTION, since=since)
        first = [await received(websocket) for _ in "abc"]
        assert sorted(message["id"] for message in first) == ["a", "b", "c"]
        assert len({json.dumps(message["payload"]) for message in first}) == 1
        assert first[0]["payload"]["data"]["catalogChanged"]["node"]["category"] == {"slug": "apps"}


async def test_after_complete_nothing_comes_and_the_id_is_free(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        await subscribe(websocket, "1", FOREVER)
        await send(websocket, type="complete", id="1")
        await subscribe(websocket, "1", TITLE)
        a_change(gateway)
        assert (await received(websocket))["payload"] == {"data": {"category": {"title": "Apps"}}}
        assert await received(websocket) == {"id": "1", "type": "complete"}
        await send(websocket, type="ping")
        assert await received(websocket) == {"type": "pong"}


@pytest.mark.parametrize("leave", ["complete", "close", "break"])
async def test_a_client_that_leaves_leaves_nothing_behind(gateway: Served, leave: str) -> None:
    since = a_change(gateway)
    gateway.wait_until_idle()
    async with socket(gateway) as websocket:
        connected = gateway.tasks()
        assert connected
        await subscribe(websocket, "1", SUBSCRIPTION, since=since)
        await received(websocket)
        assert gateway.tasks() - connected
        if leave == "complete":
            await send(websocket, type="complete", id="1")
            gateway.wait_until_idle(but=connected)
        elif leave == "break":
            websocket.transport.abort()
    gateway.wait_until_idle()


NO_CURSOR = "catalogChanged(since:) is not a cursor of the change feed; take one from changes."
UNFIT = "Variable '$since' has invalid value: Expected a value of non-null type 'String!' to be provided."


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("{ a " + "a" * 200, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nothing' on type 'Query'."),
        (
            "subscription { nothing }",
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'nothing' on type 'Subscription'.",
        ),
        (
            "mutation { nothing }",
            "GRAPHQL_VALIDATION_FAILED",
            "The mutation operation is not supported by the schema.",
        ),
        (
            "fragment A on Query { __typename }",
            "GRAPHQL_VALIDATION_FAILED",
            "The document has no operation to run, only fragments.",
        ),
        ("subscription($since: String!) { catalogChanged(since: $since) { slug } }", "BAD_USER_INPUT", UNFIT),
        ('subscription { catalogChanged(since: "x") { slug } }', "BAD_USER_INPUT", NO_CURSOR),
    ],
)
async def test_an_operation_that_cannot_start_is_an_error(
    gateway: Served, query: str, code: str, sentence: str
) -> None:
    async with socket(gateway) as websocket:
        await subscribe(websocket, "1", query)
        message = await received(websocket)
        (error,) = message.pop("payload")
        assert (message, error["message"]) == ({"id": "1", "type": "error"}, sentence)
        assert error["extensions"] == {"code": code}
        # The connection goes on, and the id is free.
        await subscribe(websocket, "1", TITLE)
        assert (await received(websocket))["type"] == "next"


async def test_a_file_that_cannot_be_used_is_a_sentence_without_its_path(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        gateway.storage.unlink()
        gateway.storage.write_bytes(b"no catalog")
        async with socket(gateway) as websocket:
            await subscribe(websocket, "1", FOREVER)
            (error,) = (await received(websocket))["payload"]
    assert error["extensions"] == {"code": "STORAGE_UNAVAILABLE"}
    assert error["message"] == "The gateway's storage cannot be used now. Try again in a moment."


async def test_so_many_operations_a_connection_can_have_and_no_more(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        for number in range(MAX_OPERATIONS):
            await subscribe(websocket, str(number), FOREVER)
        await subscribe(websocket, "more", FOREVER)
        sentence = f"This connection has {MAX_OPERATIONS} operations under way, which is the limit."
        error = {"message": sentence, "extensions": {"code": "BAD_REQUEST"}}
        assert await received(websocket) == {"id": "more", "type": "error", "payload": [error]}
        await send(websocket, type="complete", id="0")
        await subscribe(websocket, "more", TITLE)
        assert (await received(websocket))["type"] == "next"


async def test_pages_of_any_origin_may_connect(gateway: Served) -> None:
    for origin in ("https://elsewhere.test", "null"):
        async with socket(gateway, origin=origin) as websocket:
            await send(websocket, type="ping")
            assert await received(websocket) == {"type": "pong"}


async def test_where_some_origins_are_allowed_pages_of_others_do_not_connect(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", crawled=False, cors_origins="https://ours.example") as strict:
        for origin in ("https://ours.example", strict.address, None):  # no browser sends none
            async with socket(strict, origin=origin) as websocket:
                await send(websocket, type="ping")
                assert await received(websocket) == {"type": "pong"}
        for origin in ("https://theirs.example", "null"):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(strict.graphql.replace("http", "ws"), origin=Origin(origin))


async def test_at_another_address_there_is_no_websocket(gateway: Served) -> None:
    with pytest.raises(InvalidStatus):
        await connect(gateway.address.replace("http", "ws") + "/other")
