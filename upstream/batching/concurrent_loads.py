"""Runs several loads at once, and ends all of them when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def all_or_first_error(loads: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all and return their results in their order. When one fails, cancel the others and raise its error."""
    # A task group and ``gather`` can lose the cancellation of this task when it comes while one of them fails.
    tasks = [asyncio.create_task(load) for load in loads]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
