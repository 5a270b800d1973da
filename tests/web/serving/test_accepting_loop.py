"""The loop of a server process: who waits is accepted at once, and not refused at a stop."""

from __future__ import annotations

import asyncio
import socket

from web.serving.accepting_loop import Loop


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
