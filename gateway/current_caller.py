"""Holds the caller that the running task works for: its client, by which all limits count, and its connection."""

from __future__ import annotations

from collections.abc import Hashable
from contextvars import ContextVar
from typing import NamedTuple

ROUTER = "router"
"""The client that is known by the secret of a router."""


class Caller(NamedTuple):
    """Names a client, and one of its connections."""

    client: str
    """An address, a network of IPv6, or another name that stands for all that one client sends. It is empty if the
    client is not known."""
    connection: Hashable


NOBODY = Caller("", None)

caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
"""The caller that the running task works for."""
