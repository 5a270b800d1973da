"""Provides guests of a limiter, who wait for turns, have them, and leave when told to."""

from __future__ import annotations

import asyncio

from upstream.client.concurrency_limiter import Limiter


class Guest:
    """Someone who waits for a turn, has it at some time, and leaves when told to."""

    def __init__(self, limiter: Limiter, *, background: bool = False) -> None:
        self._turn = limiter.turn(background=True) if background else limiter.turn()
        self._arriving = asyncio.ensure_future(self._turn.__aenter__())

    @property
    def has_turn(self) -> bool:
        return self._arriving.done() and not self._arriving.cancelled()

    def give_up(self) -> None:
        self._arriving.cancel()

    async def leave(self) -> None:
        """End the turn. The next in line is given it before this returns, but learns of it later."""
        assert self.has_turn
        await self._turn.__aexit__(None, None, None)


async def settle() -> None:
    """Let everyone learn what has happened: a turn that is handed on takes two rounds of the loop."""
    for _ in range(6):
        await asyncio.sleep(0)


async def guests(limiter: Limiter, number: int, *, background: bool = False) -> list[Guest]:
    """Make so many guests, who arrive in this order."""
    arrived = [Guest(limiter, background=background) for _ in range(number)]
    await settle()
    return arrived


def have_turns(crowd: list[Guest]) -> list[bool]:
    return [guest.has_turn for guest in crowd]
