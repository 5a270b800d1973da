"""Describes one attack of the table: what it does, and what it did in November 2026."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.attack.load import Sent
from benchmarks.attack.target import Target


@dataclass(frozen=True)
class Scale:
    """Scales an attack. At 1 it is that of the table, and counts and seconds are multiplied by the scale."""

    share: float = 1.0

    def count(self, whole: int) -> int:
        """Return so many of them, but at least one."""
        return max(1, round(whole * self.share))

    def seconds(self, whole: float) -> float:
        """Return so many seconds, but at least half a second."""
        return max(0.5, whole * self.share)


@dataclass(frozen=True)
class Case:
    """Describes an attack. ``before`` is what it did in November 2026, commit 97213c4, on a machine like this."""

    name: str
    before: str
    run: Callable[[Target, Scale, Sent], Awaitable[None]]
    limit: float = 20
    """Seconds after which it is cut off."""
    needs_upstream: bool = False
    """Whether it asks or changes the embedded upstream behind the gateway."""
    own_gateway: Literal["", "honest", "lying"] = ""
    """What the upstream of a gateway of its own is, if it needs one because it stops it; that is not watched."""
