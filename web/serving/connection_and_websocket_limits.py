"""Holds what a process knows of its connections, for the app and for the protocols of the server under it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gateway import ConcurrentQuota, FederationRouter, Subscriptions
from web.client_identity import Clients, Network
from web.serving.coalesced_writes import CoalescedWrites
from web.serving.slow_readers import SlowReaders

LOG_EVERY = 60.0
"""Seconds between lines in the log about requests that are not HTTP, because their sender can send many."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits what connections may hold, in each process. Times are in seconds. A number of 0 is no limit."""

    connections: int
    connections_per_address: int
    sockets: int
    sockets_per_address: int
    head_seconds: float
    """Seconds for the headers of a request to arrive."""
    socket_idle_seconds: float
    """Seconds for a WebSocket on which no operation is under way."""
    read_seconds: float
    """Seconds for an answer to be read: see :class:`SlowReaders`."""
    unsent_bytes: int
    """The most bytes that may wait to be written to one client."""
    unsent_bytes_together: int


class Connections:
    """Holds all connections of a process: how many there are and whose they are, what waits to be written, what was
    not HTTP, and whether the process stops.

    The ``proxies`` and the ``router`` are those of :class:`Clients`. The app makes it, and hands it to the protocols in
    the state of its lifespan, as ``connections``.
    """

    def __init__(
        self,
        limits: ConnectionLimits,
        subscriptions: Subscriptions,
        proxies: Sequence[Network],
        router: FederationRouter,
    ) -> None:
        self.limits = limits
        self.clients = Clients(proxies, router)
        self.open = ConcurrentQuota("connections", limits.connections, limits.connections_per_address)
        self.sockets = ConcurrentQuota("WebSockets", limits.sockets, limits.sockets_per_address)
        self.slow = SlowReaders(limits.read_seconds, limits.unsent_bytes, limits.unsent_bytes_together)
        self.writes = CoalescedWrites()
        self.subscriptions = subscriptions
        self.stopping = asyncio.Event()
        self.garbage = 0
        """Requests that were not HTTP."""
        self._logged = float("-inf")

    def stop(self) -> None:
        """End subscriptions, and close WebSockets when their operations are done."""
        if not self.stopping.is_set():
            self.stopping.set()
            self.subscriptions.end_all()

    def note_garbage(self) -> None:
        """Count a request that is not HTTP, and log it if none was logged in the last minute."""
        self.garbage += 1
        now = time.monotonic()
        if now - self._logged >= LOG_EVERY:
            self._logged = now
            _log.warning(
                "A client sent something that is not HTTP. There have been %s since the start.",
                f"{self.garbage:,}",
            )
