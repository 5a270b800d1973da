"""Describes what is asked of upstream, and what a good answer is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """Describes one request to upstream."""

    kind: str
    """The name of the kind in receipts."""
    path: str
    params: dict[str, int | str]
    nominal: float
    """The seconds that the answer takes, by the contract."""
    under_way: Callable[[], AbstractContextManager[object]] = nullcontext
    """Entered while an exchange for it is under way: it has its turn, and no answer yet."""
    may_probe: bool = True
    """Whether it may be the request that finds out whether an upstream that was left alone answers again."""


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """Holds a good answer."""

    body: bytes | None
    """``None`` if upstream says that there is no such record."""
    seconds: float
    """How long it took, from its turn on."""
    was_alone: bool
    """Whether no other request of this client was under way meanwhile."""
