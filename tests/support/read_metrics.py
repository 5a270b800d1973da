"""Reads the metrics of a gateway as Prometheus does."""

from __future__ import annotations

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

PREFIX = "gateway_"


_HELP = "# HELP "
"""Begins the text of each family."""


async def families(http: httpx.AsyncClient) -> dict[str, Metric]:
    return _read(await _text(http))


async def samples(http: httpx.AsyncClient, name: str) -> dict[str, float]:
    """Return the samples of a family, by the values of their labels. No other family is read."""
    texts = (await _text(http)).split(_HELP)
    found = _read("".join(_HELP + text for text in texts if text.startswith(PREFIX + name)))
    return {" ".join(sample.labels.values()): sample.value for sample in found[PREFIX + name].samples}


async def value(http: httpx.AsyncClient, name: str) -> float:
    (only,) = (await samples(http, name)).values()
    return only


async def _text(http: httpx.AsyncClient) -> str:
    response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return response.text


def _read(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}
