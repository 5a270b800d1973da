"""Steps of work that the engine counts while it runs an operation. A step is about a microsecond of processor time."""

from __future__ import annotations

from collections.abc import Callable

Spend = Callable[[int], None]
"""Counts so many steps before they are done, and raises ``Stopped`` when a request may spend no more."""

CALL, CALL_AWAITED = 4, 20
"""Steps of one call of a resolver, and of one whose outcome is awaited."""

OBJECT, LEAVES = 1, 8
"""Steps of one object, and how many of its leaves are one step more."""

ERROR = 40
"""Steps of one error of a field, with its path and its place in the document."""


def uncounted(_steps: int) -> None:
    """Spend nothing: for what runs outside of a request."""
