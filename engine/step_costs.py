"""Prices the work that the engine counts while it runs an operation, in steps. A step is about a microsecond of
processor time."""

from __future__ import annotations

from collections.abc import Callable

Spend = Callable[[int], None]
"""Counts steps before they are done, and raises ``Stopped`` when a request may spend no more."""

CALL, CALL_AWAITED = 4, 20
"""The steps of one call of a resolver, and of one whose outcome is awaited."""

OBJECT, LEAVES = 1, 8
"""The steps of one object, and the number of leaves that cost one step more."""

ERROR = 40
"""The steps of one error of a field, with its path and its location in the document."""


def uncounted(_steps: int) -> None:
    """Count nothing. This is for work outside a request."""
