"""Decides how many inputs the tests try that make them at random or go through all that there are: all of them, or a
share in `make quick`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")

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


def share_of(cases: Sequence[T]) -> list[T]:
    """Return those of the cases of a loop through all of them that this run tries: all, or in `make quick` a fifth, the
    first and the last among them."""
    step = ALL_EXAMPLES // settings().max_examples
    return [*cases[:-1:step], *cases[-1:]]
