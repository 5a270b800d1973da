"""Runs the gateways and other programs of the measurement of many gateways (``benchmarks.replicas``)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks.side_by_side.processes import free_port

ROOT = Path(__file__).parents[1]

LOOK = 0.02
"""Seconds between looks at what the gateways say of themselves."""

LONGEST = 300.0
"""Seconds that anything may take."""

_HTTP = httpx.Client(timeout=2)


def seconds_until(found: Callable[[], object]) -> float:
    """Wait until something is true, and return how long that took."""
    began = time.monotonic()
    while not found():
        if time.monotonic() > began + LONGEST:
            raise TimeoutError("It did not come.")
        time.sleep(LOOK)
    return time.monotonic() - began


class Program:
    """Runs a process that is killed, stopped and started again."""

    def __init__(self, command: list[str], **environment: str) -> None:
        self._command = command
        self._environment = os.environ | environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environment, stdout=quiet, stderr=quiet
        )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Gateway(Program):
    """Runs one gateway."""

    def __init__(self, upstream: str, storage: str) -> None:
        self.port = free_port()
        super().__init__(
            [sys.executable, "server.py", "serve", "--port", str(self.port)],
            GATEWAY_UPSTREAM=upstream,
            GATEWAY_STORAGE=storage,
            GATEWAY_FILES="off",
            GATEWAY_FAIR_USE="off",
            GATEWAY_TRUSTED_PROXIES="127.0.0.1",
        )

    def told(self) -> dict[str, Any]:
        """Return what it says of itself; nothing if it does not answer."""
        with suppress(httpx.TransportError):
            told: dict[str, Any] = _HTTP.get(f"http://127.0.0.1:{self.port}/readyz").json()
            return told
        return {}

    def leads(self) -> bool:
        """Return whether it crawls."""
        return bool(self.told().get("following", {}).get("leads"))

    def version(self) -> str | None:
        """Return the version of the catalog that it serves."""
        version: str | None = self.told().get("catalog", {}).get("version")
        return version
