"""Commands of the project, each run in a process until a test has done with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.support.forked_programs import ForkedProgram

ROOT = Path(__file__).parents[2]


@contextmanager
def running(
    command: list[str], until: str, folder: Path = ROOT, /, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a folder until the address ``until`` answers, and stop it in the end."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own: what the command starts is stopped with it.
        start_new_session=True,
    )
    with _answering(process, until):
        yield process


@contextmanager
def running_forked(arguments: Sequence[str], until: str, /, **environment: str) -> Iterator[ForkedProgram]:
    """Run a program of this project, as ``running`` does, in a process that is forked, which starts sooner."""
    program = ForkedProgram(arguments, _environment(environment))
    with _answering(program, until):
        yield program


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    # On a busy machine operations wait for longer than a second.
    return {**os.environ, "GATEWAY_STORAGE": ":memory:", "GATEWAY_LIMIT_WAITING_SECONDS": "30", **own}


@contextmanager
def _answering(process: subprocess.Popen[str] | ForkedProgram, until: str) -> Iterator[None]:
    try:
        deadline = time.monotonic() + 180
        while True:
            assert process.poll() is None, f"it ended: {process.communicate(timeout=60)[0]}"
            assert time.monotonic() < deadline, f"{until} did not answer"
            with suppress(httpx.TransportError):
                # Certificates, which are not needed, take longer to load than the answer takes.
                httpx.get(until, verify=False, timeout=60)
                break
            time.sleep(0.02)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        # The first process of several waits for a minute for a worker that ends while it is asked whether it lives.
        process.communicate(timeout=150)
