"""Runs work that must not wait, without a task, to its end or to the first point where it would have to wait."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class MustWait(BaseException):
    """Ends work that was to be done at once and would have to wait.

    It is no ``Exception``, so that nobody takes it for the error of one field and continues with the others.
    """


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return the outcome of work that does not have to wait.

    :raises MustWait: it would have had to wait, and was ended there.
    """
    try:
        work.send(None)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    work.close()
    raise MustWait
