"""What one run of an operation may take, whichever way it is run."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The most that a run may take; each is a setting."""

    answer_bytes: int
    """Bytes of an answer, before it is compressed. All fields of 5,400 packages are 16 MB."""
    seconds: float
    """Seconds from the operation's start to its answer, what it waits for upstream included."""


NO_LIMITS = RunLimits(answer_bytes=sys.maxsize, seconds=float("inf"))
"""Lets an operation take what it takes: for those that nobody else has sent."""
