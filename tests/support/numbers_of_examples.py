"""Decides how many examples the tests try that make their input at random: all of them, or a share in `make quick`."""

from __future__ import annotations

import os

from hypothesis import settings

ALL_OPERATIONS = 2000
"""The random operations of `make test`. Each test takes a share of them that fits its cost."""

OPERATIONS = int(os.environ.get("AGREEMENT_OPERATIONS", str(ALL_OPERATIONS)))
"""The random operations of this run."""

ALL_EXAMPLES = 100
"""The examples of hypothesis in `make test`, where a test names no other number."""


def examples(number: int) -> int:
    """Return how many of so many examples of hypothesis are tried in this run, which chose its profile before."""
    return number * settings().max_examples // ALL_EXAMPLES


def operations(number: int) -> int:
    """Return how many of so many random operations are tried in this run."""
    return number * OPERATIONS // ALL_OPERATIONS
