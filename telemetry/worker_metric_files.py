"""Shares the measurements of the worker processes of one server, each in a file of its own.

Any worker may answer a scrape, so it has to know what the others counted. Each worker writes its measurements to its
own file twice a second. The scraped worker writes its own file and reads all. The first process adds the counts of
dead workers to one more file, so that no counter decreases. A folder belongs to one start of the server.

Prometheus's own client has a mode for this, in which each increment takes a lock and writes to a mapped file. The two
increments of a repeated request took 10 microseconds there, and 2 here.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import msgspec

from telemetry.metric_addition import added_up, lasting
from telemetry.metric_families import MetricFamily, counter

_FOLDER = "DJANGOPACKAGES_GRAPHQL_WORKERS"
"""The environment variable that tells the workers of a server their folder. It is not a setting."""

_IN_MEMORY = "/dev/shm"
"""A place in memory that most systems have. On a disk the files would be written again and again for nothing."""

_PREFIX = "gateway-workers-"
"""The beginning of the names of the folders."""

_OWNER = "owner"
"""The file in a folder that its first process holds locked for as long as it lives."""

_REMEMBERED = 1_000
"""Names of files that were added up. A name is needed until every process that is reading the folder is done."""


class _Ended(msgspec.Struct, frozen=True):
    """Holds the counts of workers that have ended, and the names of their files."""

    names: tuple[str, ...] = ()
    families: tuple[MetricFamily, ...] = ()


_families = msgspec.msgpack.Decoder(tuple[MetricFamily, ...])
_ended = msgspec.msgpack.Decoder(_Ended)


def worker_deaths(deaths: int) -> MetricFamily:
    """Return how many workers died, which the first process counts."""
    return counter(
        "gateway_worker_deaths_total",
        "Workers that died, or did not answer the first process, and were replaced.",
        deaths,
    )


@contextmanager
def folder_for_workers() -> Iterator[WorkerMetricFiles]:
    """Make the folder that workers started inside find by :meth:`WorkerMetricFiles.of_this_server`, and remove it.

    The folders of servers that were killed are removed too.

    :raises OSError: there is no place for it.
    """
    in_memory = "TMPDIR" not in os.environ and os.access(_IN_MEMORY, os.W_OK | os.X_OK)
    with (
        TemporaryDirectory(prefix=_PREFIX, dir=_IN_MEMORY if in_memory else None) as folder,
        _owned(Path(folder)),
    ):
        _remove_left_behind(Path(folder).parent)
        os.environ[_FOLDER] = folder
        try:
            yield WorkerMetricFiles(Path(folder))
        finally:
            del os.environ[_FOLDER]


class WorkerMetricFiles:
    """Holds the files in one folder. All methods may raise ``OSError``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ours = f"{os.getpid()}-{time.time_ns()}"
        self._ended = folder / "ended"

    @classmethod
    def of_this_server(cls) -> WorkerMetricFiles | None:
        """Return the files of the server that this process is a worker of; ``None`` if it is alone."""
        folder = os.environ.get(_FOLDER)
        return None if folder is None else cls(Path(folder))

    def write(self, families: Sequence[MetricFamily]) -> None:
        """Replace what this worker has measured."""
        self._replace(self._folder / f"{self._ours}.worker", families)

    def read(self) -> list[MetricFamily]:
        """Return what all workers have measured."""
        found: dict[str, bytes] = {}
        for path in self._folder.glob("*.worker"):
            try:
                found[path.name] = path.read_bytes()
            except FileNotFoundError:
                continue  # its worker has ended, and its counts are in the other file by now
        ended = self._read_ended()
        workers = [
            (_process(name), _families.decode(body))
            for name, body in sorted(found.items())
            if name not in ended.names
        ]
        return added_up([*workers, ("", ended.families)])

    def settle(self, alive: Collection[int], died: int) -> None:
        """Add up the counts of workers that have ended. Only the first process calls this.

        ``alive`` are the ids of processes. ``died`` is how many workers have died since the last time.
        """
        gone = [path for path in self._folder.glob("*-*") if int(_process(path.name)) not in alive]
        if not (gone or died):
            return
        ended = self._read_ended()
        counted = [path for path in gone if path.suffix == ".worker"]
        families = [lasting(_families.decode(path.read_bytes())) for path in counted]
        names = (*ended.names, *(path.name for path in counted))[-_REMEMBERED:]
        together = added_up(("", each) for each in (ended.families, [worker_deaths(died)], *families))
        self._replace(self._ended, _Ended(names, tuple(together)))
        for path in gone:
            path.unlink()

    def _read_ended(self) -> _Ended:
        try:
            return _ended.decode(self._ended.read_bytes())
        except FileNotFoundError:
            return _Ended()

    def _replace(self, path: Path, content: object) -> None:
        """Write a file atomically, so that a reader gets either the old content or the new one."""
        part = self._folder / f"{self._ours}.part"
        part.write_bytes(msgspec.msgpack.encode(content))
        part.replace(path)


def _process(name: str) -> str:
    """Return the id of the process that wrote the file with this name."""
    return name.partition("-")[0]


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Hold the lock that tells other starts that the server of this folder lives. It ends with the process."""
    part = folder / f"{_OWNER}.part"
    with part.open("wb") as file:
        # A file system without locks has no file of this name, and its folders are never removed by others.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.rename(folder / _OWNER)  # it is locked before it has its name
        yield


def _remove_left_behind(place: Path) -> None:
    """Remove the folders of this user whose owner is gone."""
    for folder in place.glob(f"{_PREFIX}*"):
        # What belongs to others is not opened, because it could be anything.
        with suppress(OSError):
            if folder.lstat().st_uid != os.geteuid():
                continue
            with (folder / _OWNER).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                rmtree(folder, ignore_errors=True)
