"""Limits what one run of an operation may take, whichever way it is run."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Holds the limits of one run. Each limit is a setting."""

    answer_bytes: int
    """Bytes of an answer, before it is compressed. All fields of 5,400 packages are 16 MB."""
    seconds: float
    """Seconds from the operation's start to its answer, including the time that it waits for upstream."""


NO_LIMITS = RunLimits(answer_bytes=sys.maxsize, seconds=float("inf"))
"""Sets no limit, for operations that no client has sent."""
