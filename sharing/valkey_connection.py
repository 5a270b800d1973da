"""Connects to the server that gateways share, and turns its errors into sentences.

Threads use a blocking client, and the event loop uses another one. While the server does not answer, it is asked only
after growing pauses, and calls in between fail at once.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from sharing.valkey_address import ValkeyAddress

PREFIX = "{djangopackages}"
"""The beginning of every key. The braces keep all keys on one node of a cluster."""

PATIENCE = 2.0
"""Seconds for a connection, and for each answer."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 3.0
"""Seconds between attempts while the server does not answer. The first pause is doubled each time."""

MAX_CONNECTIONS = 32
"""How many connections each client opens at most."""


_CERTIFICATE_FAULT = re.compile(r"certificate verify failed: (.*?)\.? \(")
_WHERE = re.compile(r"^Error (-?\d+ )?(connecting to|while reading from) \S+:\d+( : |\. )")
_USER = re.compile(r"\b[Uu]ser \S+ has\b")
"""Parts of what the client library and the server say. An address and a user stand nowhere but in the settings."""


class ValkeyUnavailable(Exception):
    """The server cannot be used now. ``reason`` says why, as the end of a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Script:
    """Holds a script that runs on the server as one transaction."""

    def __init__(self, text: str) -> None:
        self.text = text


class ValkeyConnection:
    """Asks one server. It connects when it is first asked. All methods raise :class:`ValkeyUnavailable`."""

    def __init__(self, address: ValkeyAddress, patience: float = PATIENCE) -> None:
        self.address = address
        options: dict[str, Any] = {
            "host": address.host,
            "port": address.port,
            "db": address.database,
            "username": address.user,
            "password": address.password,
            "ssl": address.is_encrypted,
            "socket_connect_timeout": patience,
            "socket_timeout": patience,
            "protocol": 2,
            "max_connections": MAX_CONNECTIONS,
        }
        # A connection that the server has closed meanwhile is replaced; an answer that is late is not asked for again.
        closed = (redis.ConnectionError,)
        self._client = redis.Redis(**options, retry=Retry(NoBackoff(), 1, closed))
        self._async_client = redis.asyncio.Redis(**options, retry=AsyncRetry(NoBackoff(), 1, closed))
        self._scripts: dict[Script, Any] = {}
        self._async_scripts: dict[Script, Any] = {}
        self._failures = 0
        self._paused_until = 0.0
        self._failed = ValkeyUnavailable("")

    def do(self, command: Callable[[redis.Redis], Any]) -> Any:
        """Run a command in this thread, and return its answer."""
        self._check_pause()
        try:
            answer = command(self._client)
        except redis.RedisError as error:
            if _is_read_only(error):
                self._client.connection_pool.disconnect()
            raise self._noted(error) from error
        self._failures = 0
        return answer

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> Any:
        """Run a script in this thread, and return its answer."""
        prepared = self._scripts.get(script)
        if prepared is None:
            prepared = self._scripts[script] = self._client.register_script(script.text)
        return self.do(lambda client: prepared(keys, arguments, client))

    async def ado(self, command: Callable[[redis.asyncio.Redis], Any]) -> Any:
        """Run a command on the event loop, and return its answer."""
        self._check_pause()
        try:
            answer = await command(self._async_client)
        except redis.RedisError as error:
            if _is_read_only(error):
                await self._async_client.connection_pool.disconnect()
            raise self._noted(error) from error
        self._failures = 0
        return answer

    async def arun(
        self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | float]
    ) -> Any:
        """Run a script on the event loop, and return its answer."""
        prepared = self._async_scripts.get(script)
        if prepared is None:
            prepared = self._async_scripts[script] = self._async_client.register_script(script.text)
        return await self.ado(lambda client: prepared(keys, arguments, client))

    def listening(self) -> redis.asyncio.client.PubSub:
        """Return a connection that receives announcements."""
        return self._async_client.pubsub(ignore_subscribe_messages=True)

    def close(self) -> None:
        """Close the connections of threads."""
        self._client.close()

    async def aclose(self) -> None:
        """Close the connections of the event loop."""
        await self._async_client.aclose()

    def _check_pause(self) -> None:
        if time.monotonic() < self._paused_until:
            raise self._failed

    def _noted(self, error: redis.RedisError) -> ValkeyUnavailable:
        """Return a failure in words, and begin a pause if the server has not answered."""
        failed = ValkeyUnavailable(_reason(error))
        if isinstance(error, redis.ConnectionError | redis.TimeoutError):
            pause = min(FIRST_PAUSE * 2.0 ** min(self._failures, 20), LONGEST_PAUSE)
            self._failures += 1
            self._failed = failed
            self._paused_until = time.monotonic() + pause * random.uniform(0.5, 1.0)
        return failed


async def ended(listening: asyncio.Task[None]) -> None:
    """End a task that listens. The client library can lose a cancellation while it connects."""
    while not listening.done():
        listening.cancel()
        await asyncio.wait([listening], timeout=0.1)


def _is_read_only(error: redis.RedisError) -> bool:
    """Return whether a replica has answered. After a failover the name of the server leads to another machine,
    which only a new connection reaches."""
    return isinstance(error, redis.ReadOnlyError) or "READONLY" in str(error)


def _certificate_fault(text: str) -> str | None:
    """Return why the certificate of a server is refused; ``None`` if that is not what went wrong."""
    fault = _CERTIFICATE_FAULT.search(text)
    if fault is None:
        return None
    if "is not valid for" in fault[1]:
        return "the server's certificate has another name; use a name in GATEWAY_STORAGE that the certificate has"
    remedy = "SSL_CERT_FILE can name a file with the certificate of the authority that signed it"
    return f"the server's certificate is not trusted ({fault[1]}); {remedy}"


def _reason(error: redis.RedisError) -> str:
    """Return why the server cannot be used, without its address and without a user or a password."""
    text = str(error)
    if isinstance(error, redis.AuthenticationError) or text.startswith(("WRONGPASS", "NOAUTH")):
        return "the server refuses the user or the password, or wants one"
    if isinstance(error, redis.BusyLoadingError):
        return "the server is still loading its data"
    if isinstance(error, redis.TimeoutError):
        return "the server does not answer in time"
    if isinstance(error, redis.ConnectionError):
        return (
            _certificate_fault(text) or f"the server cannot be reached ({_WHERE.sub('', text).rstrip('.')})"
        )
    if isinstance(error, redis.OutOfMemoryError) or "OOM command not allowed" in text:
        return "the server is full; raise its maxmemory"
    if _is_read_only(error):
        return "the server is a replica that cannot be written; name the primary"
    if "WRONGTYPE" in text:
        return f"a key that begins with {PREFIX} is not of this gateway; use another database of the server"
    if "NOPERM" in text or "no permissions" in text.lower():
        return f"the server does not let this user do it ({_USER.sub('the user has', text).rstrip('.')})"
    return f"the server refuses ({text.rstrip('.')})"
