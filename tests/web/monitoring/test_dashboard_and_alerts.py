"""The dashboard and the alerts ask for metrics, labels and states that the gateway has, and say what they show."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from tests.support.gateway_in_process import app_over, client_of
from tests.support.metric_documents import documented
from tests.support.read_metrics import families
from tests.support.required_programs import need
from upstream.embedded import EmbeddedUpstream

DEPLOY = Path(__file__).parents[3] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
ALERTS = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")

WORDS = {
    *("absent", "changes", "histogram_quantile", "increase", "label_values", "max", "min", "rate", "sum"),
    *("and", "by", "or"),
}
"""The words of PromQL, and of Grafana's variables, that are used."""
SCRAPED = {"job", "instance", "le", "worker"}
"""The labels that Prometheus adds, that histograms have, and that several workers have."""
WHOLE = {"gateway_catalog_freshness", "gateway_upstream_breaker", "gateway_operations", "gateway_connections"}
"""The metrics that have a sample for each value of their label from the start."""


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])
    yield from (variable["query"]["query"] for variable in DASHBOARD["templating"]["list"][1:])
    yield from (each["expr"] for each in DASHBOARD["annotations"]["list"])
    yield from re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE)


EXPRESSIONS = list(expressions())


def series() -> dict[str, set[str]]:
    """Return the labels of every series, by its full name."""
    labels: dict[str, set[str]] = {}
    for name, (type, of_metric, _help) in documented().items():
        ends = ("_bucket", "_sum", "_count") if type == "histogram" else ("",)
        labels |= {name + end: {*of_metric, *SCRAPED} for end in ends}
    return labels


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_known_metrics_and_labels_alone(expression: str) -> None:
    known, selected = series(), re.compile(r"(\w+)\{([^}]*)\}")
    named = set()
    for name, selector in selected.findall(expression):
        named.add(name)
        used = re.findall(r'(\w+)(?:=~|!=|!~|=)"', selector)
        assert name in known
        assert set(used) <= known[name]
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", expression)
    labels = SCRAPED.union(*(known.get(name, set()) for name in named))
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"\b[\d.]+(e\d+)?\b", "", bare)))
    assert words - WORDS - named - labels - set(known) == set()
    assert words & set(known) or named


@pytest.fixture
async def shown(embedded: EmbeddedUpstream) -> dict[str, Metric]:
    async with client_of(app_over(embedded)) as http:
        return await families(http)


async def test_the_states_that_are_asked_for_exist(shown: dict[str, Metric]) -> None:
    asked = set()
    for name in WHOLE:
        states = {value for sample in shown[name].samples for value in sample.labels.values()}
        for expression in EXPRESSIONS:
            for selector in re.findall(rf"{name}\{{([^}}]*)\}}", expression):
                for value in re.findall(r'(?:state|stage|kind)=~?"([^"]+)"', selector):
                    asked.add(name)
                    assert any(re.fullmatch(value, state) for state in states), (name, value)
    assert asked == {"gateway_catalog_freshness", "gateway_upstream_breaker"}


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        assert 'job=~"$job", instance=~"$instance"' in target["expr"]


def test_the_panels_stand_in_rows_and_none_covers_another() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Traffic", "Answers", "Cache", "Upstream", "Catalog", "Process"]
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert max(column for column, _line in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_every_metric_of_the_gateway_is_on_the_dashboard_but_for_these() -> None:
    text = json.dumps(DASHBOARD)
    missing = {name for name in documented() if name not in text}
    assert missing == {
        "gateway_engine_answers_total",
        "gateway_registered_documents",
        "gateway_registered_documents_bytes",
        "gateway_trusted_documents",
        "gateway_trusted_documents_reload_failures_total",
        "gateway_trusted_documents_unfit",
        "gateway_upstream_cost_seconds",
        "process_max_fds",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    }


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = re.findall(r"- alert: (\w+)", ALERTS)
    assert len(names) == len(set(names)) > 10
    for alert in ALERTS.split("- alert: ")[1:]:
        assert re.search(r"^ +severity: (critical|warning|info)$", alert, re.MULTILINE), alert
        for annotation in ("summary", "description"):
            (text,) = re.findall(rf'^ +{annotation}: "(.+)"$', alert, re.MULTILINE)
            assert text.endswith(".")


def test_prometheus_takes_the_alerts() -> None:
    need("promtool")
    done = subprocess.run(
        ["promtool", "check", "rules", str(DEPLOY / "alerts.yml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
