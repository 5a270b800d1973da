"""Provides programs of this project, each in a process of its own that is forked from one that has its imports.

Such a process starts in a tenth of the time. It runs the same file or module from its beginning, with arguments, an
environment, a folder and outputs of its own. Tests of the start itself start programs in the ordinary way.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock, Thread
from typing import IO

ROOT = Path(__file__).parents[2]


class ForkedProgram:
    """A program that runs, with the methods of ``subprocess.Popen`` that tests need.

    ``arguments`` are what follows ``python`` on a command line. What it prints is read from ``stdout``, unless files
    for it are given.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: IO[str] | None = None,
        errors: IO[str] | None = None,
    ) -> None:
        self._arguments = list(arguments)
        order = {"arguments": self._arguments, "environment": dict(environment), "folder": str(ROOT)}
        told, tell = os.pipe()
        self._told = open(told, encoding="utf-8")  # noqa: SIM115 - it is closed when the program has ended
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        with TemporaryFile("w+", encoding="utf-8") as written:
            json.dump(order, written)
            written.flush()
            if output is None:
                reader, writer = os.pipe()
                self.stdout = open(reader, encoding="utf-8")  # noqa: SIM115 - it is closed when all is read
            else:
                writer = os.dup(output.fileno())
            files = [written.fileno(), writer, writer if errors is None else errors.fileno(), tell]
            _forking_process().order(files)
        os.close(writer)
        os.close(tell)
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or ``None`` while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit status when it has ended, within so many seconds."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._arguments, timeout)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, None]:
        """Return what it has printed since the last look, when it has ended."""
        assert self.stdout is not None
        if self.stdout.closed:
            return "", None
        printed: list[str] = []
        reader = Thread(target=lambda stdout: printed.append(stdout.read()), args=[self.stdout], daemon=True)
        reader.start()
        reader.join(timeout)
        if reader.is_alive():
            raise subprocess.TimeoutExpired(self._arguments, timeout)
        self.stdout.close()
        self.wait(timeout)
        return printed[0], None

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _end(self) -> None:
        self.returncode = int(self._told.readline())
        self._told.close()


def run_forked(
    arguments: Sequence[str], environment: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; return what ``subprocess.run`` returns."""
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        program = ForkedProgram(arguments, environment, output, errors)
        try:
            status = program.wait(timeout)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            program.wait(timeout)
            raise
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(list(arguments), status, output.read(), errors.read())


class _ForkingProcess:
    """The process that forks, and the socket on which it is told what."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._lock = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking_process", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def order(self, files: Sequence[int]) -> None:
        """Let it fork, with these open files: the order, the output, the errors, and where it tells the process."""
        with self._lock:
            socket.send_fds(self._orders, [b"."], files)

    def close(self) -> None:
        self._orders.close()
        self._process.wait(60)


@cache
def _forking_process() -> _ForkingProcess:
    """Return the one that all tests of this process share."""
    process = _ForkingProcess()
    atexit.register(process.close)
    return process
