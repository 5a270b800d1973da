"""The load at a fixed rate tells of answers that are not whole, and closes their connections."""

from __future__ import annotations

import asyncio
import gc

from benchmarks.paced_load import PacedLoad
from tests.support.gateway_processes import until


async def cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b'"}')
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
    writer.close()


async def test_an_answer_that_is_cut_off_is_wrong_and_leaves_no_open_connection() -> None:
    async with await asyncio.start_server(cut_off, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        load = PacedLoad(f"http://{host}:{port}", "{ a }", found=b"a", rate=100)

        def run() -> None:
            with load.running():
                until(lambda: load.wrong)

        await asyncio.to_thread(run)
    assert set(load.wrong) == {"ValueError('The answer was cut off.')"}
    # A connection that nobody closed would be reported here.
    gc.collect()
