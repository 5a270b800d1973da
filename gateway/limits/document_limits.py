"""The limits of one gateway."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SAID = 2**31 - 1
"""A larger value is told as this: fragments multiply to numbers that no client reads."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The most that a document may have of each; each is a setting, and a file of this package.

    The defaults leave room for ten times the largest of ``examples/`` and for introspection by any tool. They were
    chosen by 169 attacks, each the best of three in processor time on a machine busy with other work, where the same
    document varied by 1.8: of those that pass, the worst took 80 ms to validate. The engine's plan is up to 54 ms more.
    """

    bytes: int
    """The parser reads character by character: 46 ms for one string of this size that does not end."""
    tokens: int
    """25 ms to parse."""
    definitions: int
    """Fragments at one place are compared each with each: of 200, before there was a limit, for 200 ms."""
    depth: int
    """Introspection has 15."""
    selections: int
    """A fragment in 150 places is few tokens, and 54 ms of work for the engine."""
    aliases: int
    root_fields: int
    repeated_fields: int
    """A pair with arguments and selections costs about 16 microseconds. One field 77 times, or three fields in 45
    fragments; one field 500 times took 860 ms."""
    values: int
    """About 10 MB of titles. A hundred packages, their grids and all packages there with ten fields each
    are 101,201."""
    work: int
    """Counted while the operation runs: see :mod:`resolvers.work_budget`."""
