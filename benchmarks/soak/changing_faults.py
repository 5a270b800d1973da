"""Changes the faults of an upstream while the gateway is soaked."""

from __future__ import annotations

import asyncio
import itertools
import json
import urllib.request
from typing import Any

Change = tuple[str, str, str, Any]
"""A name, and what the control endpoints of the embedded upstream are told: method, path and body."""


def _fault(name: str, **effect: Any) -> Change:
    return name, "POST", "faults", {"effect": effect}


CHANGES: tuple[Change, ...] = (
    ("a new package", "POST", "packages", {}),
    _fault("slow headers", type="latency", seconds=1),
    _fault("status 500", type="status", code=500),
    ("another new package", "POST", "packages", {}),
    _fault("slow bodies", type="slow", chunk=512, pause=0.05),
    ("maintenance", "PUT", "state", {"state": "maintenance"}),
    ("nothing wrong", "PUT", "state", {"state": "up"}),
    _fault("status 429", type="status", code=429, retry_after="1"),
    _fault("bodies that break off", type="truncated"),
    ("no connection", "PUT", "state", {"state": "down"}),
    _fault("HTML with status 200", type="content-type"),
    _fault("invalid JSON", type="truncated", framed=True),
    _fault("one answer in three slow", type="latency", seconds=0.3),
    _fault("answers of 40 MB", type="oversized", bytes=40_000_000),
    _fault("a list with a wrong count", type="wrong-count", factor=100_000),
    _fault("status 404", type="status", code=404),
)
"""Each comes in the place of the one before."""


async def change_faults(upstream: str, seconds: float) -> None:
    """Change the faults of the embedded upstream every so many seconds, until cancelled; then nothing is wrong."""
    try:
        for _name, method, path, body in itertools.cycle(CHANGES):
            await asyncio.to_thread(_tell, upstream, "DELETE", "faults", None)
            await asyncio.to_thread(_tell, upstream, method, path, body)
            await asyncio.sleep(seconds)
    finally:
        _tell(upstream, "DELETE", "faults", None)


def _tell(upstream: str, method: str, path: str, body: object) -> None:
    request = urllib.request.Request(
        f"{upstream}/__control__/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method,
    )
    urllib.request.urlopen(request, timeout=30).close()
