"""Each failure of upstream has a line in the log: the path, the cause and the attempt, and no address."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import UpstreamError
from upstream.client.v4_records import CATEGORY, PACKAGE
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

LOGGER = "upstream.client.failure_log"


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    """Return the sentence and the fields of each line about a failure."""
    found = [record for record in caplog.records if record.name == LOGGER]
    assert {record.levelno for record in found} <= {logging.INFO}
    return [(record.getMessage(), getattr(record, "fields", {})) for record in found]


async def test_each_attempt_that_fails_is_logged(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    embedded.faults.add(Fault(StatusFault(503)))
    limits = replace(CLIENT_LIMITS, attempts=3, first_pause=0)
    client = Client(UPSTREAM_URL, in_process(embedded), limits)
    with caplog.at_level(logging.INFO, LOGGER), pytest.raises(UpstreamError):
        await client.detail(PACKAGE, 1599)
    await client.aclose()
    fields = {"path": "/packages/1599/", "code": "UPSTREAM_UNAVAILABLE", "cause": None}
    sentence = "Upstream answered /packages/1599/ with status 503."
    assert lines(caplog) == [(sentence, fields | {"attempt": attempt}) for attempt in (1, 2, 3)]


async def test_the_cause_is_what_the_http_library_says(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused " + "." * 1000)

    client = Client(UPSTREAM_URL, httpx.MockTransport(refuse), CLIENT_LIMITS)
    with caplog.at_level(logging.INFO, LOGGER), pytest.raises(UpstreamError):
        await client.page(CATEGORY, limit=1)
    await client.aclose()
    ((sentence, fields),) = lines(caplog)
    assert sentence == "Upstream could not be reached for /categories/."
    assert (fields["path"], fields["attempt"]) == ("/categories/", 1)
    assert fields["cause"].startswith("ConnectError: Connection refused ....")
    assert len(fields["cause"]) == 300


async def test_an_answer_that_cannot_be_read_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def nonsense(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[])

    client = Client(UPSTREAM_URL, httpx.MockTransport(nonsense), CLIENT_LIMITS)
    with caplog.at_level(logging.INFO, LOGGER), pytest.raises(UpstreamError):
        await client.page(CATEGORY, limit=1)
    await client.aclose()
    ((sentence, fields),) = lines(caplog)
    assert sentence.startswith("Upstream's answer to /categories/ is not as the v4 API promises: ")
    assert (fields["code"], fields["attempt"]) == ("UPSTREAM_BAD_DATA", None)


async def test_an_open_circuit_is_no_failure_of_its_own(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    embedded.faults.state = "down"
    client = Client(UPSTREAM_URL, in_process(embedded), replace(CLIENT_LIMITS, breaker_failures=2))
    with caplog.at_level(logging.INFO, LOGGER):
        for _ in range(10):
            with pytest.raises(UpstreamError):
                await client.detail(PACKAGE, 1599)
    await client.aclose()
    assert len(lines(caplog)) == embedded.requests.total == 2
