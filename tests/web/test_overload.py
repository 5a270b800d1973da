"""Tests a gateway that has more to do than it can: what its clients are told, whichever way they ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.streaming_gateway import http_client, received, served, server_sent, socket, subscribe

TITLE = '{ category(slug: "apps") { title } }'
FULL: dict[str, Any] = {"limit_running": 1, "limit_waiting": 0, "limit_waiting_seconds": 5}
SENTENCE = "The gateway is busy: 0 operations are waiting already."
ERROR = {"message": SENTENCE, "extensions": {"code": "OVERLOADED", "retryAfter": 5}}


def test_without_a_place_the_answer_is_503_and_says_when_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", **FULL, batch_limit=2) as gateway:
        kept = httpx.post(gateway.graphql, json={"query": "{ __typename }"}, timeout=60)
        with gateway.busy():
            refused = httpx.post(gateway.graphql, json={"query": TITLE}, timeout=60)
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "5"
            assert refused.headers["Cache-Control"] == "no-store"
            assert refused.json() == {"errors": [ERROR]}
            # What is kept needs no place.
            again = httpx.post(gateway.graphql, json={"query": "{ __typename }"}, timeout=60)
            assert (again.status_code, again.content) == (200, kept.content)
            together = httpx.post(gateway.graphql, json=[{"query": TITLE}, {"query": TITLE}], timeout=60)
            assert together.json() == [{"errors": [ERROR]}] * 2
            assert httpx.get(f"{gateway.address}/healthz", timeout=60).status_code == 200
        assert httpx.post(gateway.graphql, json={"query": TITLE}, timeout=60).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "multipart/mixed"])
def test_a_document_that_is_not_known_is_not_read_without_a_place(tmp_path: Path, accept: str) -> None:
    with served(tmp_path / "catalog.sqlite", **FULL) as gateway:
        unknown = {"query": "{ nothing }"}
        with gateway.busy():
            refused = httpx.post(gateway.graphql, json=unknown, headers={"Accept": accept}, timeout=60)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert refused.json() == {"errors": [ERROR]}
        assert httpx.post(gateway.graphql, json=unknown, timeout=60).status_code == 422


async def test_over_a_stream_or_a_socket_the_operation_has_an_error(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", **FULL) as gateway:
        # Before its document is known, it is not known to be one for a stream.
        gateway.ask(TITLE)
        with gateway.busy():
            async with http_client(gateway) as http:
                assert [event async for event in server_sent(http, TITLE)] == [
                    ("next", {"errors": [ERROR]}),
                    ("complete", None),
                ]
            async with socket(gateway) as websocket:
                await subscribe(websocket, "1", TITLE)
                assert await received(websocket) == {"id": "1", "type": "error", "payload": [ERROR]}


def test_an_answer_in_parts_is_refused_too(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", **FULL) as gateway, gateway.busy():
        refused = httpx.post(
            gateway.graphql,
            json={"query": '{ category(slug: "apps") { ... @defer { title } } }'},
            headers={"Accept": "multipart/mixed"},
            timeout=60,
        )
        assert SENTENCE in refused.text


async def test_of_the_operations_of_a_socket_a_few_run_at_once(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", crawled=False, limit_waiting=100) as gateway:
        admission = gateway.gateway.admission
        async with socket(gateway) as websocket:
            for number in range(50):
                await subscribe(websocket, str(number), f"{{ a{number}: __typename }}")
            answers = [await received(websocket) for _ in range(100)]
        assert {answer["type"] for answer in answers} == {"next", "complete"}
        assert admission.refused == 0
        await asyncio.sleep(0)
        assert (admission.running, admission.waiting) == (0, 0)
