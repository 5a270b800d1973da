"""Tests the loop of a server process: who waits is accepted at once, and not refused at a stop."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from threading import Thread
from typing import Any

import pytest

from web.serving.accepting_loop import Loop, admit_no_more


class Counting(asyncio.Protocol):
    """Counts the connections, and closes them."""

    made: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Counting.made += 1
        transport.close()


def test_a_hundred_who_wait_are_accepted_in_few_turns_of_the_loop() -> None:
    turns = 0

    async def main() -> int:
        nonlocal turns
        loop, listening = asyncio.get_running_loop(), socket.create_server(("127.0.0.1", 0), backlog=200)
        Counting.made = 0
        clients = [socket.create_connection(listening.getsockname()) for _ in range(100)]
        server = await loop.create_server(Counting, sock=listening, backlog=200)
        while Counting.made < 100:
            turns += 1
            await asyncio.sleep(0)
        server.close()
        for client in clients:
            client.close()
        return turns

    # libuv would need a hundred.
    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) <= 10


class WithoutDescriptors(socket.socket):
    """Listens, and accepts nobody while the process has no descriptor left."""

    asked = 0
    left = False

    def accept(self) -> tuple[socket.socket, Any]:
        self.asked += 1
        if self.left:
            return super().accept()
        raise OSError(errno.EMFILE, "Too many open files")


def test_without_descriptors_the_loop_does_not_spin_and_goes_on_when_there_are_some() -> None:
    told = []

    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: told.append(context["message"]))
        listening = WithoutDescriptors(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind(("127.0.0.1", 0))
        Counting.made = 0
        server = await loop.create_server(Counting, sock=listening, backlog=200)
        client = socket.create_connection(listening.getsockname())
        for _ in range(1000):
            await asyncio.sleep(0)
        asked = listening.asked
        async with asyncio.timeout(30):
            while listening.asked < 2 * asked:  # noqa: ASYNC110 - what is looked at has no event
                await asyncio.sleep(0.01)
            listening.left = True
            while not Counting.made:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        server.close()
        client.close()
        return asked

    with asyncio.Runner(loop_factory=Loop) as runner:
        asked = runner.run(main())
    # Once a pause, and not once a turn.
    assert 1 <= asked < 100
    assert told == ["A connection could not be accepted."]


def test_who_waits_without_descriptors_does_not_keep_a_stop_from_coming() -> None:
    told = []

    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: told.append(context["message"]))
        listening = WithoutDescriptors(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind(("127.0.0.1", 0))
        server = await loop.create_server(Counting, sock=listening, backlog=200)
        client = socket.create_connection(listening.getsockname())
        while not listening.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        server.close()
        await server.wait_closed()
        client.close()
        asked = listening.asked
        await asyncio.sleep(0.3)
        return listening.asked - asked

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) == 0
    assert told == ["A connection could not be accepted."]


def test_at_a_stop_who_waits_is_taken_and_who_comes_later_is_refused() -> None:
    async def main() -> None:
        loop, listening = asyncio.get_running_loop(), socket.create_server(("127.0.0.1", 0), backlog=200)
        address = listening.getsockname()
        Counting.made = 0
        server = await loop.create_server(Counting, sock=listening, backlog=200)
        clients = [socket.create_connection(address) for _ in range(150)]
        server.close()
        await server.wait_closed()
        assert Counting.made == 150
        refused = 0
        try:
            socket.create_connection(address)
        except ConnectionRefusedError:
            refused += 1
        assert refused == 1
        for client in clients:
            assert client.recv(1) == b""
            client.close()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())


class WithNewcomers(socket.socket):
    """Listens, and has a client come after each look that finds nobody."""

    def __init__(self, *arguments: int) -> None:
        super().__init__(*arguments)
        self.outcomes: list[str] = []
        self.clients: list[Thread] = []
        self.is_closing = False

    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except BlockingIOError:
            if self.is_closing and not self.clients:
                came = socket.socket()
                came.setblocking(False)
                came.connect_ex(self.getsockname())
                self.clients.append(Thread(target=self._ask, args=[came]))
                self.clients[0].start()
            raise

    def _ask(self, client: socket.socket) -> None:
        with client:
            client.settimeout(60)
            try:
                # It waits until the connection is made or refused.
                client.sendall(b"GET / HTTP/1.1\r\n")
                client.recv(1)
            except OSError as error:
                self.outcomes.append(type(error).__name__)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has such filters.")
def test_who_comes_between_the_last_look_and_the_close_is_refused_and_not_reset() -> None:
    async def main() -> list[str]:
        loop, listening = asyncio.get_running_loop(), WithNewcomers(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind(("127.0.0.1", 0))
        Counting.made = 0
        server = await loop.create_server(Counting, sock=listening, backlog=200)
        waiting = socket.create_connection(listening.getsockname())
        admit_no_more(listening)
        listening.is_closing = True
        server.close()
        await server.wait_closed()
        waiting.close()
        for client in listening.clients:
            await asyncio.to_thread(client.join, 60)
        return listening.outcomes

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) == ["ConnectionRefusedError"]
    assert Counting.made == 1
