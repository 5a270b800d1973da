"""Tests an upstream that hangs. It costs an operation the data that it was asked for, and no known data."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

import setting_groups
from tests.support.gateway_in_process import app_of, client_of, source_of
from tests.support.settings_for_tests import UPSTREAM_URL, settings_for_tests
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream, Fault, Latency

KNOWN_AND_UNKNOWN = (
    '{ known: package(slug: "django-celery-email") { slug } unknown: package(slug: "%s") { slug } }'
)

SETTINGS = {"limit_seconds": 1, "breaker_failures": 3, "upstream_attempts": 3}


async def answer(http: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    response = await http.post("/graphql", json={"query": KNOWN_AND_UNKNOWN % slug})
    answered: dict[str, Any] = response.json()
    return answered


@pytest.mark.virtual_time
async def test_what_is_known_is_answered_and_the_hanging_upstream_is_left_alone(
    embedded: EmbeddedUpstream,
) -> None:
    settings = settings_for_tests(**SETTINGS)
    clock = asyncio.get_running_loop().time
    client = Client(UPSTREAM_URL, in_process(embedded), setting_groups.client_limits(settings), clock=clock)
    app = app_of(source_of(client), **SETTINGS)
    async with client_of(app) as http:
        await app.parts.source.crawl()
        embedded.faults.add(Fault(Latency(30)))
        before = embedded.requests.total
        answers = await asyncio.gather(*(answer(http, f"unknown-{number}") for number in range(3)))
        for answered in answers:
            assert answered["data"] == {"known": {"slug": "django-celery-email"}, "unknown": None}
            (error,) = answered["errors"]
            assert (error["path"], error["extensions"]["code"]) == (["unknown"], "UPSTREAM_TIMEOUT")
        assert embedded.requests.total == before + 3
        # Three lookups took all the time that they had, so the next one is not sent.
        (error,) = (await answer(http, "unknown-4"))["errors"]
        assert error["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
        assert embedded.requests.total == before + 3
