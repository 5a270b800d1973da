"""Every metric is in the documents by its name, type, labels and sentence, and is named as Prometheus advises."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from tests.support.gateway_in_process import app_over, client_of
from tests.support.read_metrics import families
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault
from web.request_counts import HANDLERS, METHODS, labels_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \| .+? \| (.+) \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Return what the table of the document says of each metric: its type, its labels and its sentence."""
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return {name: (type, tuple(re.findall(r"`(\w+)`", labels)), help) for name, type, labels, help in rows}


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


async def test_all_paths_of_the_app_are_handlers(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded, mcp="on", mcp_hosts="")
    async with client_of(app):
        routes: list[BaseRoute] = app.router.routes
        paths = [each.path for each in routes if isinstance(each, Route | Mount | WebSocketRoute)]
    assert {"/" + path.split("/")[1] for path in paths} == HANDLERS


def test_no_client_chooses_a_label() -> None:
    made_up = [labels_of(f"M{n}", f"/p{n}/graphql", 404) for n in range(1000)]
    assert set(made_up) == {("other", "other", 404)}
    assert {labels_of(method, "/graphql/persisted/1", 200)[:2] for method in METHODS} == {
        (method, "/graphql") for method in METHODS
    }
