"""Shares the documents that clients have registered with any of the gateways on one server.

A gateway that registers a document tells the others. A gateway that starts takes the documents of the server, which
keeps the newest ones. If a document does not reach a gateway, its client is asked for the text again, as Apollo's
protocol says.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

import redis

from sharing.valkey_connection import PREFIX, Script, ValkeyConnection, ValkeyUnavailable, ended

MAX_DOCUMENTS = 1000
"""How many documents the server keeps, which have at most 20 MB together."""

LONGEST = 20_000
"""Bytes of the longest document that is shared."""

PAUSE = 1.0
"""Seconds before listening begins anew after it has failed."""

_TEXTS_KEY, _ORDER_KEY, _CHANNEL = (
    f"{PREFIX}:{name}" for name in ("documents", "document-order", "documents")
)

_PUT = Script("""
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('LREM', KEYS[2], 0, ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[1])
while redis.call('LLEN', KEYS[2]) > tonumber(ARGV[3]) do
  redis.call('HDEL', KEYS[1], redis.call('LPOP', KEYS[2]))
end
redis.call('PUBLISH', ARGV[4], ARGV[2])
""")


class SharedDocuments:
    """Hands ``take`` the hash and the text of each document that another gateway has, from :meth:`open` on."""

    def __init__(self, connection: ValkeyConnection, take: Callable[[str, str], object]) -> None:
        self._connection = connection
        self._take = take
        self._telling = set[asyncio.Task[None]]()
        self._listening: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Take the documents of the server, and begin to listen, inside the running loop."""
        self._listening = asyncio.create_task(self._listen())

    async def aclose(self) -> None:
        """Finish sending documents, and stop listening."""
        await asyncio.gather(*self._telling, return_exceptions=True)
        if self._listening is not None:
            await ended(self._listening)

    def put(self, id: str, text: str) -> None:
        """Tell the others of a document that was just registered, by the SHA-256 of its text."""
        body = text.encode()
        if len(body) > LONGEST:
            return

        async def tell() -> None:
            with suppress(ValkeyUnavailable):
                given = (id, body, MAX_DOCUMENTS, _CHANNEL)
                await self._connection.arun(_PUT, (_TEXTS_KEY, _ORDER_KEY), given)

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _listen(self) -> None:
        while True:
            channel = self._connection.listening()
            try:
                await channel.subscribe(_CHANNEL)
                texts = await self._connection.ado(lambda client: client.hvals(_TEXTS_KEY))
                for text in texts:
                    self._took(text)
                    await asyncio.sleep(0)
                async for message in channel.listen():
                    self._took(message["data"])
            except (redis.RedisError, OSError, ValkeyUnavailable):
                pass  # documents that were sent meanwhile are taken when the server can be used again
            finally:
                await channel.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))

    def _took(self, body: bytes) -> None:
        with suppress(UnicodeDecodeError):
            self._take(sha256(body).hexdigest(), body.decode())
