"""What one run of an operation may take, whichever way it is run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The most that a run may take; each is a setting."""

    answer_bytes: int = 10_000_000
    """Bytes of an answer, before it is compressed. All fields of 5,400 packages are 16 MB."""
    seconds: float = 5
    """From the operation's start to its answer, what it waits for upstream included."""


DEFAULT_RUN_LIMITS = RunLimits()
