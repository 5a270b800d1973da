"""The limits of one gateway."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SAID = 2**31 - 1
"""A larger value is told as this: fragments multiply to numbers that no client reads."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a document may have of each; each is a setting, and a file of this package.

    The defaults leave room for 20 times the largest of ``examples/`` and for introspection by any tool. The times are
    processor time for the worst documents that pass, of 80 attacks: none took more than 50 ms to validate and compile.
    """

    bytes: int = 50_000
    """32 ms to parse, of one long string."""
    tokens: int = 2_000
    """20 ms to parse; 47 ms to validate, of unknown fields."""
    definitions: int = 100
    """40 ms to validate, of fragments spread at one place; 200 took 200 ms."""
    depth: int = 20
    """Introspection has 15."""
    selections: int = 2_000
    """44 ms to compile, of a fragment spread in 150 places."""
    aliases: int = 200
    """37 ms to validate."""
    root_fields: int = 50
    repeated_fields: int = 5_000
    """37 ms to validate, of fragments with the same field; 500 times one field, 125,000 pairs, took 860 ms."""


DEFAULT_LIMITS = Limits()
