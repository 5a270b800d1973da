"""The limits of one gateway."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SAID = 2**31 - 1
"""A larger value is told as this: fragments multiply to numbers that no client reads."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a document may have of each; each is a setting, and a file of this package.

    The defaults leave room for 25 times the largest of ``examples/`` and for the introspection of any tool, which is 15
    deep. The milliseconds are what validation took for the worst document within the limit, alone on one core.
    """

    bytes: int = 50_000
    tokens: int = 2_000
    definitions: int = 100
    depth: int = 20
    selections: int = 2_000
    aliases: int = 200
    root_fields: int = 50
    repeated_fields: int = 5_000


DEFAULT_LIMITS = Limits()
