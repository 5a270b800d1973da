"""Tests fields of upstream's records that are unknown, missing or of another type: counted, logged once and shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cli.doctor_checks import Severity, check_upstream
from tests.support.gateway_in_process import app_over, client_of
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL, settings_for_tests
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.record_drift import MAX_FIELDS, RecordDrift
from upstream.client.upstream_errors import UpstreamBadData
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE
from upstream.embedded import EmbeddedUpstream

LOGGER = "upstream.client.record_drift"
Row = dict[str, Any]


class Changed(httpx.AsyncBaseTransport):
    """Carries requests to the embedded upstream, and changes each row of its answers."""

    def __init__(self, embedded: EmbeddedUpstream, change: Callable[[Row], None]) -> None:
        self._upstream = in_process(embedded)
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._upstream.handle_async_request(request)
        body = json.loads(await answer.aread())
        for row in body.get("results", [body]):
            self._change(row)
        return httpx.Response(answer.status_code, json=body)


def add_downloads(row: Row) -> None:
    row["downloads"] = 7


def odd(row: Row) -> None:
    """Take a field from one row, and change a type in the others."""
    if row["id"] == 1599:
        del row["slug"]
    else:
        row["repo_forks"] = "many"


async def drift_of(change: Callable[[Row], None], embedded: EmbeddedUpstream) -> list[tuple[str, ...]]:
    """Return what has differed after a page of packages, a detail and a page of grids."""
    client = Client(UPSTREAM_URL, Changed(embedded, change), CLIENT_LIMITS)
    await client.page(PACKAGE, limit=10)
    await client.detail(PACKAGE, 1599)
    await client.page(GRID, limit=10)
    await client.aclose()
    return [(each.kind, each.field, each.difference, str(each.count)) for each in client.health().drift]


async def test_an_upstream_as_it_is_known_has_no_drift(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    assert await drift_of(lambda row: None, embedded) == []
    client = Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)
    await client.page(CATEGORY, limit=10)
    await client.search("celery")
    await client.aclose()
    assert client.health().drift == ()
    assert [record for record in caplog.records if record.name == LOGGER] == []


async def test_a_field_that_is_unknown_is_counted_once_an_answer_and_logged_once(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    found = await drift_of(add_downloads, embedded)
    assert found == [("grid", "downloads", "unknown", "1"), ("package", "downloads", "unknown", "2")]
    logged = [record for record in caplog.records if record.name == LOGGER]
    assert [(record.levelno, record.getMessage()) for record in logged] == [
        (
            logging.WARNING,
            f"Upstream has changed: records of the kind {kind} have the field downloads, which the gateway does not "
            "know.",
        )
        for kind in ("package", "grid")
    ]


async def test_fields_that_are_missing_or_retyped_are_counted_for_each_record() -> None:
    embedded = EmbeddedUpstream(packages=5)
    client = Client(UPSTREAM_URL, Changed(embedded, odd), CLIENT_LIMITS)
    await client.page(PACKAGE, limit=5)
    with pytest.raises(UpstreamBadData):
        await client.detail(PACKAGE, 1599)
    await client.aclose()
    assert [(each.field, each.difference, each.count) for each in client.health().drift] == [
        ("repo_forks", "retyped", 4),
        ("slug", "missing", 2),
    ]


def test_what_upstream_makes_up_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    drift = RecordDrift()
    for number in range(1000):
        drift.saw_fields("package", [f"{number:04}" + "x" * 1000])
    assert len(drift.seen()) == MAX_FIELDS
    assert max(len(each.field) for each in drift.seen()) == 64
    assert len(caplog.records) == MAX_FIELDS


async def test_drift_is_shown_by_the_home_page_and_the_metrics(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded)) as http:
        assert (await http.get("/")).json()["drift"] == []
    app = app_over(embedded)
    async with client_of(app) as http:
        app.parts.source.client.drift.saw_fields("package", ["slug", '<b>"new"</b>'])
        facts = (await http.get("/")).json()
        page = (await http.get("/", headers={"Accept": "text/html"})).text
        metrics = (await http.get("/metrics")).text
    assert facts["drift"] == [
        {"kind": "package", "field": '<b>"new"</b>', "difference": "unknown", "count": 1}
    ]
    assert "records of the kind package have the field &lt;b&gt;&quot;new&quot;&lt;/b&gt;, which" in page
    sample = r'gateway_upstream_drift_total{difference="unknown",field="<b>\"new\"</b>",kind="package"} 1.0'
    assert sample in metrics.splitlines()


async def test_the_doctor_tells_what_differs_in_the_newest_package(embedded: EmbeddedUpstream) -> None:
    findings = await check_upstream(settings_for_tests(), Changed(embedded, add_downloads))
    assert [(finding.severity, finding.sentence) for finding in findings] == [
        (Severity.OK, "Upstream answers, and has 300 packages."),
        (
            Severity.WARNING,
            "Upstream has changed: records of the kind package have the field downloads, which the gateway does not "
            "know.",
        ),
    ]
