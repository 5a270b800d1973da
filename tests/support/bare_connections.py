"""Provides bare connections to a gateway in a process of its own, for clients that no HTTP library would be."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.support.forked_programs import ForkedProgram
from tests.support.gateway_processes import sync
from tests.support.http_servers import free_port
from tests.support.processes import running_forked


@dataclass(frozen=True)
class Process:
    """A gateway that runs as ``server.py serve``, over the embedded upstream."""

    address: str
    process: ForkedProgram

    @property
    def graphql(self) -> str:
        return f"{self.address}/graphql"

    def wire(self) -> socket.socket:
        """Return a connection without a request."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def metric(self, name: str) -> float:
        """Return a measurement by its name and labels, as ``/metrics`` has it."""
        lines = httpx.get(f"{self.address}/metrics", verify=False, timeout=60).text.splitlines()
        (line,) = [line for line in lines if line.startswith(f"gateway_{name} ")]
        return float(line.rpartition(" ")[2])

    def memory(self) -> int:
        """Bytes of the process in memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def ended(self) -> str:
        """Return what it printed until it ended."""
        assert self.process.stdout is not None
        assert self.process.wait(60) in (0, -signal.SIGTERM)
        return self.process.stdout.read()


@contextmanager
def serve(*, workers: int = 1, **settings: object) -> Iterator[Process]:
    """Return a gateway with these settings, named as in the environment without their prefix, of which every worker
    has started, and knows the catalog that was stored before."""
    address = f"http://127.0.0.1:{free_port()}"
    flags = ["--port", address.rpartition(":")[2], "--workers", str(workers)]
    with TemporaryDirectory() as folder:
        storage = Path(folder, "catalog.sqlite")
        storage.write_bytes(_stored_catalog())
        environment = {
            f"GATEWAY_{name}": str(value) for name, value in (settings | {"STORAGE": storage}).items()
        }
        command = ["server.py", "serve", *flags]
        with running_forked(command, f"{address}/healthz", **environment) as process:
            assert process.stdout is not None
            for _ in range(workers):
                # The lines end when the process does.
                assert any("A worker has started." in line for line in process.stdout)
            yield Process(address, process)


@cache
def _stored_catalog() -> bytes:
    """Return the file of the catalog that the embedded upstream has, made once for all gateways of the tests."""
    with TemporaryDirectory() as folder:
        storage = Path(folder, "catalog.sqlite")
        sync("embedded", storage)
        return storage.read_bytes()


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
