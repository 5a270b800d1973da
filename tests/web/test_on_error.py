"""Tests the request parameter ``onError``, by every way in which a request can come."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support.crawled_gateway import app, http
from tests.support.streaming_gateway import Served, received, send, socket

__all__ = ["app", "http"]

QUERY = '{ package(slug: "django-celery-email") { commitActivity { lastWeeks(n: 60) } } }'
ACTIVITY: dict[str, Any] = {
    "PROPAGATE": {"package": {"commitActivity": None}},
    "NULL": {"package": {"commitActivity": {"lastWeeks": None}}},
    "HALT": None,
}
WRONG = 'onError is "STOP"; it can be PROPAGATE, NULL or HALT.'


@pytest.mark.parametrize("on_error", ACTIVITY)
async def test_a_request_says_what_an_error_does(http: httpx.AsyncClient, on_error: str) -> None:
    request = {"query": QUERY, "onError": on_error}
    for response in (
        await http.post("/graphql", json=request),
        await http.get("/graphql", params=request),
        await http.request("QUERY", "/graphql", json=request),
    ):
        answer = response.json()
        assert answer["data"] == ACTIVITY[on_error]
        assert len(answer["errors"]) == 1


async def test_an_answer_without_errors_is_the_same(http: httpx.AsyncClient) -> None:
    query = '{ category(slug: "apps") { title } }'
    answers = [
        (await http.post("/graphql", json={"query": query, "onError": on_error})).content
        for on_error in (*ACTIVITY, None)
    ]
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    ("on_error", "sentence"), [("STOP", WRONG), (1, "onError must be a string; it is a number.")]
)
async def test_another_value_is_refused(http: httpx.AsyncClient, on_error: object, sentence: str) -> None:
    response = await http.post("/graphql", json={"query": QUERY, "onError": on_error})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (422, sentence)


async def test_an_operation_over_a_websocket_says_it_too(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        for id, (on_error, data) in enumerate(ACTIVITY.items()):
            payload = {"query": QUERY, "onError": on_error}
            await send(websocket, type="subscribe", id=str(id), payload=payload)
            message = await received(websocket)
            assert (message["id"], message["payload"]["data"]) == (str(id), data)
            assert (await received(websocket))["type"] == "complete"


async def test_a_websocket_with_another_value_is_closed_with_the_sentence(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        payload = json.loads('{"query": "{ __typename }", "onError": "STOP"}')
        await send(websocket, type="subscribe", id="1", payload=payload)
        await websocket.wait_closed()
        assert (websocket.close_code, websocket.close_reason) == (4400, WRONG)
