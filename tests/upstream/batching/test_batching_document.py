"""Tests docs/batching.md: its tables are those of the benchmark, and its prices those that the gateway starts with."""

from __future__ import annotations

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import plans
from upstream.batching.request_planning import MAX_PAGE
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

TEXT = plans.DOCUMENT.read_text(encoding="utf-8")
RESULTS = plans.RESULTS.read_text(encoding="utf-8")


def test_its_tables_are_the_results_of_the_benchmark() -> None:
    assert plans.with_results(TEXT, RESULTS) == TEXT, "`python -m benchmarks.plans` writes them anew"
    tables = [line for line in RESULTS.splitlines() if line.startswith("|")]
    assert len(tables) == 2 * 2 + 3 * (len(plans.PACKAGES) + len(plans.GRIDS))
    assert "\n".join(tables[:17]) in TEXT
    assert "\n".join(tables[17:]) in TEXT


async def test_the_results_are_what_the_batcher_picks_now(whole_embedded_catalog: EmbeddedCatalog) -> None:
    # The larger ones take the benchmark a while, one by one.
    upstream = EmbeddedUpstream(catalog=whole_embedded_catalog)
    measured = await plans.measure(upstream, plans.PACKAGES[:3], plans.GRIDS[:3])
    rows = [line for line in plans.tables(measured).splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == 3 * 6
    assert [row for row in rows if row not in RESULTS] == []


async def test_its_prices_are_those_in_the_metrics(http: httpx.AsyncClient) -> None:
    heading, *rows = [
        line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith(("| part", "| `"))
    ]
    told = {
        (kind, part.strip("`")): float(milliseconds) / 1000
        for part, *prices, _ in rows
        for kind, milliseconds in zip(heading[1:-1], prices, strict=True)
    }
    metrics = (await http.get("/metrics")).text
    (family,) = (
        family
        for family in text_string_to_metric_families(metrics)
        if family.name == "gateway_upstream_cost_seconds"
    )
    shown = {(sample.labels["kind"], sample.labels["part"]): sample.value for sample in family.samples}
    assert told == pytest.approx(shown)
    (example,) = re.findall(r"^    (gateway_upstream_cost_seconds.*)$", TEXT, re.MULTILINE)
    assert example in metrics.splitlines()


def test_it_names_the_longest_page() -> None:
    assert f"A page has at most {MAX_PAGE} records" in " ".join(TEXT.split())


def test_every_local_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert links
    assert all((plans.DOCUMENT.parent / link).exists() for link in links)
