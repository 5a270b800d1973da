"""Reads the metrics of a gateway as Prometheus does."""

from __future__ import annotations

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

PREFIX = "gateway_"


async def families(http: httpx.AsyncClient) -> dict[str, Metric]:
    response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


async def samples(http: httpx.AsyncClient, name: str) -> dict[str, float]:
    """Return the samples of a family, by the values of their labels."""
    family = (await families(http))[PREFIX + name]
    return {" ".join(sample.labels.values()): sample.value for sample in family.samples}


async def value(http: httpx.AsyncClient, name: str) -> float:
    (only,) = (await samples(http, name)).values()
    return only
