"""Provides processes of the benchmark: started on one core, watched, and stopped whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_LIMIT = 10
"""Seconds that a process has to end before it is killed."""

_TICKS = os.sysconf("SC_CLK_TCK")


class DidNotStart(Exception):
    """Says that a process ended, or did not answer in time. The message has the end of what it wrote."""


@dataclass(frozen=True)
class Cores:
    """Says on which cores things run: what is measured, and everything else."""

    gateway: int
    load: int


def two_cores() -> Cores:
    """Return the last and the first core that this process may use; this process moves to the first."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("The benchmark needs two processor cores: one for the gateway, one for the load.")
    os.sched_setaffinity(0, {usable[0]})
    return Cores(gateway=usable[-1], load=usable[0])


@dataclass(frozen=True)
class Running:
    """Holds a process and what it started, in a group of their own."""

    group: int

    def processor_seconds(self) -> float:
        """Used so far."""
        return sum((int(fields[11]) + int(fields[12])) / _TICKS for _, fields in self._members())

    def memory(self) -> int:
        """Bytes in RAM; a page that several of them share counts once."""
        total = 0
        for pid, _ in self._members():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total

    def _members(self) -> list[tuple[int, list[str]]]:
        """Process id and the fields of its ``stat`` behind the name, of each."""
        members = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                with suppress(OSError):
                    fields = (folder / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[2]) == self.group and fields[0] != "Z":
                        members.append((int(folder.name), fields))
        return members


@contextmanager
def running(
    command: Sequence[str],
    *,
    core: int | str,
    ready: Callable[[], bool],
    log: Path,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    limit: float = 60,
) -> Iterator[Running]:
    """Run a command on a core, or on several with commas, from when it is ``ready`` to the end of the block.

    :raises DidNotStart: it is not ready within ``limit`` seconds.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: what it starts is stopped with it, and Ctrl-C reaches us alone.
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + limit
        while not _is(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                end = log.read_text(errors="replace").strip()[-500:]
                raise DidNotStart(f"{command[0]} did not start: {end or 'it wrote nothing'}")
            time.sleep(0.02)
        yield Running(process.pid)
    finally:
        _stop(process)


def end_in_order() -> None:
    """Let Ctrl-C and SIGTERM end this process as an exit does: what it has started is stopped first."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))


def _is(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except (OSError, ValueError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_LIMIT)
            break
    # A child may outlive the process that started it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def listens(port: int) -> bool:
    """Return whether somebody accepts connections at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def busy_seconds() -> float:
    """Processor time that all cores of the machine have spent working since it started."""
    fields = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / _TICKS
