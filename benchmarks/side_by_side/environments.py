"""Runs contenders: each is started in its configuration, in a folder and with an upstream of its own."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side.answers import ask
from benchmarks.side_by_side.contenders import HERE, Contender, tailcall_in
from benchmarks.side_by_side.processes import Cores, Running, free_port, listens, running

LATENCY = 20
"""Milliseconds of the slow upstream before each answer."""


@dataclass(frozen=True)
class Upstream:
    """Holds a v4 API that answers at a port, and its processes."""

    port: int
    processes: Sequence[Running]

    def root(self, letter: str) -> str:
        """Return the address of its root for one contender, without a slash at its end.

        Tailcall keeps values under a hash of their address that differs too rarely if the ids of packages do not
        begin at a multiple of eight bytes: it then answers with another package's data. So all get an address with
        a prefix that makes it so.
        """
        host, api = f"http://127.0.0.1:{self.port}", "/api/v4"
        missing = -len(f"{host}/{api}/packages/") % 8
        return f"{host}/{letter * (missing or 8)}{api}"

    def control(self, method: str, what: str) -> bytes:
        """Return the body of an answer of the embedded upstream's control endpoints."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, f"/__control__/{what}")
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def fast_upstream(cores: Cores, folder: Path) -> Iterator[Upstream]:
    """Return the embedded v4 API behind an nginx that keeps its answers."""
    with _embedded(cores, folder, latency=0) as embedded:
        port = free_port()
        config = fill(HERE / "nginx-upstream.conf", folder, FOLDER=folder, PORT=port, ORIGIN=embedded.port)
        command = ["nginx", "-c", str(config)]
        with running(
            command, core=cores.load, ready=lambda: listens(port), log=folder / "nginx.log"
        ) as nginx:
            yield Upstream(port, [nginx, *embedded.processes])


@contextmanager
def slow_upstream(cores: Cores, folder: Path) -> Iterator[Upstream]:
    """Return the embedded v4 API with 20 ms before each answer."""
    with _embedded(cores, folder, latency=LATENCY) as embedded:
        yield embedded


@contextmanager
def _embedded(cores: Cores, folder: Path, *, latency: float) -> Iterator[Upstream]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.side_by_side.upstream", "--port", str(port)]
    command += ["--latency", str(latency)]
    log = folder / f"upstream-{latency}.log"
    with running(command, core=cores.load, ready=lambda: listens(port), log=log) as process:
        yield Upstream(port, [process])


@contextmanager
def started(
    contender: Contender, upstream: Upstream, cores: Cores, folder: Path
) -> Iterator[tuple[Running, int]]:
    """Return a contender that answers, with nothing stored from before, and its port.

    :raises DidNotStart: it does not answer.
    :raises CannotInstall: what it needs cannot be had.
    """
    port = free_port()
    for left in folder.glob("gateway.sqlite*"):
        left.unlink()
    known = {"port": str(port), "upstream": upstream.root(contender.prefix), "folder": str(folder)}
    if contender.template:
        tokens = {**{name.upper(): value for name, value in known.items()}, **contender.tokens}
        known["config"] = str(fill(contender.template, folder, **tokens))
    command = [part.format(**known) for part in tailcall_in(contender.command)]
    environment = {name: value.format(**known) for name, value in contender.environment.items()}

    def ready() -> bool:
        return listens(port) if contender.floor else ask(port, "{__typename}", {})[0] == 200

    with running(
        command,
        core=cores.gateway,
        ready=ready,
        log=folder / "gateway.log",
        folder=contender.folder,
        environment=environment,
    ) as process:
        yield process, port


def knows_all(port: int) -> bool:
    """Return whether our gateway has read the whole catalog."""
    _, body = ask(port, "{catalog{version syncing}}", {})
    catalog = json.loads(body)["data"]["catalog"]
    return catalog["version"] is not None and not catalog["syncing"]


def fill(template: Path, folder: Path, **tokens: object) -> Path:
    """Return a copy of the file in the folder with each ``@NAME@`` filled in."""
    text = template.read_text()
    for name, value in tokens.items():
        text = text.replace(f"@{name}@", str(value))
    filled = folder / template.name
    filled.write_text(text)
    return filled
