"""Runs gateways in processes of their own that share a Valkey server, to be killed, stopped and started again."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Any

import httpx

from tests.support.forked_programs import ForkedProgram
from tests.support.http_servers import free_port


class Replica:
    """Runs a gateway in a process of its own, which a test kills, stops and starts again."""

    def __init__(self, upstream: str, storage: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {"GATEWAY_UPSTREAM": upstream, "GATEWAY_STORAGE": storage}
        self.process: ForkedProgram | None = None
        self._http = httpx.Client(timeout=30, verify=False)

    def start(self) -> None:
        command = ["-m", "tests.support.sharing_server", str(self.port)]
        environment = self._environment | {"PATH": "/usr/bin:/bin"}
        # Its errors are shown with those of the test.
        with open(2, "w", encoding="utf-8", closefd=False) as errors:
            self.process = ForkedProgram(command, environment, errors)

    def ready(self) -> dict[str, Any] | None:
        """Return what it says of itself; ``None`` if it does not answer."""
        with suppress(httpx.TransportError):
            told: dict[str, Any] = self._http.get(f"{self.address}/readyz").json()
            return told
        return None

    def leads(self) -> bool:
        told = self.ready()
        return told is not None and bool(told["following"]["leads"])

    def version(self) -> str | None:
        told = self.ready()
        return None if told is None else told["catalog"]["version"]

    def storage(self) -> str | None:
        told = self.ready()
        return None if told is None else told["storage"]

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=60)
            self.process = None

    def close(self) -> None:
        self.kill()
        self._http.close()


def one_leads(replicas: list[Replica]) -> Replica | None:
    """Return the one that leads; ``None`` unless it is exactly one."""
    leading = [replica for replica in replicas if replica.leads()]
    return leading[0] if len(leading) == 1 else None


def agree(replicas: list[Replica]) -> bool:
    """Return whether all serve the same version."""
    versions = {replica.version() for replica in replicas}
    return len(versions) == 1 and None not in versions
