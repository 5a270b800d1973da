"""Bare connections to a gateway in a process of its own, for clients that no HTTP library would be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.http_servers import free_port
from tests.support.processes import running


@dataclass(frozen=True)
class Process:
    """A gateway that runs as ``server.py serve``, over the embedded upstream."""

    address: str
    process: subprocess.Popen[str]

    @property
    def graphql(self) -> str:
        return f"{self.address}/graphql"

    def wire(self) -> socket.socket:
        """Return a connection without a request."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def metric(self, name: str) -> float:
        """Return a measurement by its name and labels, as ``/metrics`` has it."""
        lines = httpx.get(f"{self.address}/metrics").text.splitlines()
        (line,) = [line for line in lines if line.startswith(f"gateway_{name} ")]
        return float(line.rpartition(" ")[2])

    def memory(self) -> int:
        """Bytes of the process in memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def ended(self) -> str:
        """Return what it printed until it ended."""
        assert self.process.stdout is not None
        assert self.process.wait(20) in (0, -signal.SIGTERM)
        return self.process.stdout.read()


@contextmanager
def serve(*flags: str, **settings: object) -> Iterator[Process]:
    """Return a gateway with these settings, named as in the environment without their prefix, that knows its
    catalog."""
    address = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "server.py", "serve", "--port", address.rpartition(":")[2], *flags]
    environment = {f"GATEWAY_{name}": str(value) for name, value in settings.items()}
    with running(command, f"{address}/healthz", **environment) as process:
        deadline = time.monotonic() + 60
        # Each connection can be with another worker.
        while not all(_knows_the_feed(address) for _ in range(10)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Process(address, process)


def _knows_the_feed(address: str) -> bool:
    body = httpx.post(f"{address}/graphql", json={"query": "{ catalog { changesCursor } }"}).json()
    return body["data"]["catalog"]["changesCursor"] is not None


def read_all(wire: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    received = b""
    while part := wire.recv(1_000_000):
        received += part
    return received


def request(query: str, *headers: str) -> bytes:
    """Return a POST as bytes."""
    body = b'{"query": "%b"}' % query.replace('"', '\\"').encode()
    head = ["POST /graphql HTTP/1.1", "Host: gateway", "Content-Type: application/json", *headers]
    head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body
