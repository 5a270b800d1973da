"""Real HTTP servers on loopback ports, in a thread or a process, for tests in which the wire matters."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """Serve ``app`` by uvicorn in a thread; gives the address, like ``http://127.0.0.1:43210``."""
    config = uvicorn.Config(app, port=port, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    (listening,) = server.servers[0].sockets
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"


@contextmanager
def running(command: list[str], until: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the project until the address ``until`` answers, and stop it in the end."""
    process = subprocess.Popen(
        command,
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"GATEWAY_STORAGE": ":memory:"} | environment,
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
        process.communicate(timeout=20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
