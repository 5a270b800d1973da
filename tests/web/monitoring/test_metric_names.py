"""Every metric is in the documents by its name, type, labels and sentence, and is named as Prometheus advises."""

from __future__ import annotations

import re
from typing import get_args

import httpx
import pytest
from prometheus_client.metrics_core import Metric

from gateway import RequestFailure
from tests.support.gateway_in_process import app_over, client_of
from tests.support.metric_documents import DOCUMENT, documented
from tests.support.read_metrics import families
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault


def full_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


async def test_the_documents_list_every_metric_with_its_type_and_sentence(http: httpx.AsyncClient) -> None:
    shown = {full_name(each): (each.type, each.documentation) for each in (await families(http)).values()}
    assert shown == {name: (type, help) for name, (type, _labels, help) in documented().items()}


async def test_every_sample_has_the_labels_of_the_documents(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503), path="/api/v4/packages/1599/"))
    seen = set()
    async with client_of(app_over(embedded)) as http:
        for query in ("{ package(databaseId: 1599) { id } }", "{ categories { id } }", "{ nope }", "{"):
            await http.post("/graphql", json={"query": query})
        for family in (await families(http)).values():
            labels = documented()[full_name(family)][1]
            for sample in family.samples:
                seen.add(full_name(family))
                assert set(sample.labels) - {"le"} == set(labels), sample
    assert {"graphql_errors_total", "graphql_operation_duration_seconds", "http_requests_total"} < seen


@pytest.mark.parametrize("name", documented())
def test_a_name_has_a_base_unit_and_says_total_for_counters_alone(name: str) -> None:
    type, labels, help = documented()[name]
    assert name.startswith(("gateway_", "graphql_", "http_", "process_"))
    assert name.endswith("_total") == (type == "counter")
    assert type != "histogram" or name.endswith("_seconds")
    assert not re.search(r"milli|kilo|minutes|hours|percent|_ms\b", name)
    assert not set(labels) & {"le", "quantile", "job", "instance"}
    assert help.endswith(".")


async def test_a_client_chooses_no_label(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded)) as http:
        for n in range(20):
            await http.request(f"M{n}", f"/p{n}/graphql")
        await http.request("GET", "/docs/nothing.md")
        counted = (await families(http))["http_requests"].samples
    labels = [tuple(sample.labels[name] for name in ("method", "handler", "status")) for sample in counted]
    assert labels == [("GET", "/docs", "404"), ("other", "other", "404")]


async def test_every_path_of_the_app_is_a_handler(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded)
    async with client_of(app):
        handlers = app.parts.metrics.requests.handlers
    assert {"/", "/docs", "/graphql", "/healthz", "/metrics", "/readyz", "/schema.graphql"} < handlers
    assert {path.split("/")[1] for path in handlers} == {path[1:] for path in handlers}


def test_the_document_says_what_each_outcome_of_an_operation_means() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (outcomes,) = re.findall(r"^- `outcome` of an operation is .*?(?=^- )", text, re.MULTILINE | re.DOTALL)
    assert set(get_args(RequestFailure)) <= set(re.findall(r"`(\w+)`", outcomes))
