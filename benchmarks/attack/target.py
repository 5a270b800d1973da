"""Finds the gateway that is attacked: one that runs already on this machine, or one that is started for it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.side_by_side.processes import Running, free_port, running

START_LIMIT = 60
"""Seconds that a gateway has to know its catalog."""
LIE = 100_000
"""By which an upstream that lies multiplies its counts."""


class NotOurs(Exception):
    """Says that an address must not be attacked. The message is a sentence that says why."""


@dataclass(frozen=True)
class Target:
    """Holds a gateway, its process, and the embedded upstream behind it, if that can be asked and changed."""

    host: str
    port: int
    process: Running
    upstream: str | None = None

    @property
    def address(self) -> str:
        """Return the address, such as ``http://127.0.0.1:8000``."""
        return f"http://{self.host}:{self.port}"

    def resident_bytes(self) -> int:
        """Return what its processes have in RAM."""
        return self.process.memory()


def running_at(url: str) -> Target:
    """Return the gateway that listens at this address.

    :raises NotOurs: it is no address of this machine's loopback, or nobody listens there.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme != "http" or not is_loopback:
        raise NotOurs(
            f"{url} is no http address on loopback, such as http://127.0.0.1:8000; others are never attacked."
        )
    process = _listener(port)
    if process is None:
        raise NotOurs(f"No process of this user listens on port {port}.")
    return Target(host, port, Running(os.getpgid(process)))


@contextmanager
def started(packages: int, core: int, lies: bool = False) -> Iterator[Target]:
    """Return a gateway over an embedded upstream of so many packages, each a process, from when its catalog is
    known on.

    An upstream that ``lies`` about its counts is there from the start; then the catalog is not waited for.
    """
    upstream_port, port = free_port(), free_port()
    upstream = f"http://127.0.0.1:{upstream_port}"
    address = f"http://127.0.0.1:{port}"
    serve_upstream = ["upstream", "--port", str(upstream_port), "--packages", str(packages)]
    serve = ["serve", "--port", str(port), "--upstream", f"{upstream}/api/v4/"]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            [sys.executable, "server.py", *serve_upstream],
            core=min(os.sched_getaffinity(0)),
            ready=lambda: _body(f"{upstream}/api/v4/categories/1/") is not None,
            log=Path(folder) / "upstream.log",
        ),
    ):
        if lies:
            control(upstream, "faults", {"effect": {"type": "wrong-count", "factor": LIE}})
        with running(
            [sys.executable, "server.py", *serve],
            core=core,
            ready=lambda: _body(f"{address}/healthz") is not None and (lies or _knows_its_catalog(address)),
            log=Path(folder) / "gateway.log",
            environment={"GATEWAY_STORAGE": ":memory:", "GATEWAY_NEWEST_INTERVAL": "10"},
            limit=START_LIMIT,
        ) as process:
            yield Target("127.0.0.1", port, process, upstream)


def upstream_requests(upstream: str) -> dict[str, int]:
    """Return how many requests the embedded upstream got since the last reset, and how many at once at most."""
    with urllib.request.urlopen(f"{upstream}/__control__/requests", timeout=30) as answer:
        told = json.load(answer)
    return {"total": told["total"], "at once": told["max_concurrency"]}


def control(upstream: str, path: str, body: object = None) -> None:
    """Tell the embedded upstream something, as its control endpoints take it."""
    data = json.dumps({} if body is None else body).encode()
    request = urllib.request.Request(
        f"{upstream}/__control__/{path}", data, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=30).close()


def _body(url: str) -> bytes | None:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        body: bytes = answer.read()
        return body
    return None


def _knows_its_catalog(address: str) -> bool:
    body = _body(f"{address}/readyz")
    return body is not None and bool(json.loads(body)["catalog"]["packageCount"])


def _listener(port: int) -> int | None:
    """Return the process that listens on this port, found by its socket."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":
                    sockets.add(f"socket:[{fields[9]}]")
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                for each in (folder / "fd").iterdir():
                    with suppress(OSError):
                        if os.readlink(each) in sockets:
                            return int(folder.name)
    return None
