"""Holds the limits of one gateway."""

from __future__ import annotations

from dataclasses import dataclass

MAX_SAID = 2**31 - 1
"""The largest value that is reported: fragments can multiply to numbers that no client can read."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Says how much a document may have of each thing. Each limit is a setting, and a file of this package.

    The defaults leave room for ten times the largest of ``examples/`` and for introspection by any tool. They were
    chosen with 169 attacks, each measured as the best of three in processor time on a busy machine, where one
    document varied by a factor of 1.8. The worst that passes took 80 ms to validate. The engine's plan takes up to 54
    ms more.
    """

    bytes: int
    """The parser reads character by character: 46 ms for one string of this size that does not end."""
    tokens: int
    """The default takes 25 ms to parse."""
    definitions: int
    """Every two fragments at one place are compared: before there was a limit, 200 of them took 200 ms."""
    depth: int
    """Introspection has a depth of 15."""
    selections: int
    """A fragment in 150 places is few tokens, and 54 ms of work for the engine."""
    aliases: int
    root_fields: int
    repeated_fields: int
    """A pair with arguments and selections costs about 16 microseconds. The default allows one field 77 times, or
    three fields in 45 fragments. One field 500 times took 860 ms."""
    values: int
    """The number is predicted by ``gateway.cost``. A thousand entities of a router, their grids and the titles and
    categories of all packages there are 254,290; the answer has 89,808."""
    work: int
    """Steps are counted while the operation runs: see :mod:`resolvers.work_budget`."""
