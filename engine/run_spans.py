"""Declares what the engine asks of a tracer: a span for each part of a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class RunSpan(Protocol):
    """Describes a part of a run, while it lasts."""

    def set(self, name: str, value: int, /) -> None:
        """Set an attribute."""


SpanMaker = Callable[[str], AbstractContextManager[RunSpan]]
"""Makes a span with this name."""


class _NoRunSpan:
    def set(self, name: str, value: int, /) -> None:
        return None


_NOTHING = nullcontext(_NoRunSpan())


def untraced(_name: str) -> AbstractContextManager[RunSpan]:
    """Trace nothing."""
    return _NOTHING
