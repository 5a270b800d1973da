"""Commands of the project, each run in a process until a test has done with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


@contextmanager
def running(
    command: list[str], until: str, folder: Path = ROOT, /, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a folder until the address ``until`` answers, and stop it in the end."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        # On a busy machine operations wait for longer than a second.
        env=os.environ | {"GATEWAY_STORAGE": ":memory:", "GATEWAY_LIMIT_WAITING_SECONDS": "30"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own: what the command starts is stopped with it.
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, f"it ended: {process.communicate()[0]}"
            assert time.monotonic() < deadline, f"{until} did not answer"
            with suppress(httpx.TransportError):
                httpx.get(until)
                break
            time.sleep(0.05)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
