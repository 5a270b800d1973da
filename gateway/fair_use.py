"""Limits what each client may cost in a minute, in units of cost.

Each client has an allowance of units. It can be used at once, and comes back evenly within a minute: the generic cell
rate algorithm (GCRA), for which the library throttled-py keeps one time for each client.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from gateway.try_later import RateLimited

REQUEST = 1
"""The units that every request costs. What its operation costs beyond that is taken when it runs."""

BYTES_OF_A_UNIT = 10_000
"""The bytes of a cached answer that cost one unit more."""

IN_ADVANCE = 20
"""The units that are taken at once for cached answers that follow one another: to take each costs a third of what they
do."""

WINDOW = 60
"""Seconds in which a whole allowance comes back."""

REMEMBERED = 10_000
"""How many clients each process remembers, in about five megabytes. A new one takes the place of the one that came
longest ago, who then has its whole allowance again. That helps nobody: to be forgotten, a client needs requests of ten
thousand others between two of its own, and whoever has so many addresses has their allowances too."""


class Allowance(NamedTuple):
    """Says what a client may use."""

    units: int
    """The units that it may use in a window."""
    window: int
    """The seconds of a window."""
    remaining: int
    """The units that it may use now."""
    seconds: int
    """The seconds until it may use all of them again."""


def units_to_send(body: bytes) -> int:
    """Return the units of a cached answer beyond those of its request."""
    return len(body) // BYTES_OF_A_UNIT


class FairUse:
    """Takes the units that requests cost from the allowances of their clients.

    ``units`` are those of each client in a minute; ``own`` are the allowances of clients by their names that have
    another one, where ``None`` is no limit. ``taken`` counts the units, and ``refused`` the requests that were refused.
    """

    def __init__(self, units: int, own: Mapping[str, int | None]) -> None:
        self.taken = 0
        self.refused = 0
        self._each = _Limit(units, REMEMBERED)
        self._taken_before: dict[str, int] = {}
        """The units of clients that were taken in advance."""
        self._own = {client: None if each is None else _Limit(each, 1) for client, each in own.items()}

    def wait(self, client: str, units: int) -> int:
        """Take units from a client, and return 0; or if it has too few, the seconds until it has them.

        What costs more than a whole allowance takes all that is left of one by the request itself.
        """
        limit = self._own.get(client, self._each)
        if limit is None:
            return 0
        result = limit.allowance.limit(client, min(units, max(REQUEST, limit.units - REQUEST)))
        if not result.limited:
            self.taken += units
            return 0
        return max(1, ceil(result.state.retry_after))

    def take(self, client: str, units: int) -> None:
        """Take units from a client.

        :raises RateLimited: it has too few.
        """
        seconds = self.wait(client, units)
        if seconds:
            self.refused += 1
            told = self.allowance(client)
            assert told is not None
            raise RateLimited(
                f"The cost of this request is {units:,}, and you have {told.remaining:,} of the {told.units:,} units "
                f"that a client may use in {WINDOW} seconds. Try again in {seconds} s.",
                seconds,
            )

    def wait_for_one(self, client: str) -> int:
        """Do the same for one unit, of which some are taken in advance while there are enough."""
        before = self._taken_before.pop(client, 0)
        if not before:
            if self.wait(client, IN_ADVANCE):
                return self.wait(client, 1)
            before = IN_ADVANCE
        if len(self._taken_before) >= REMEMBERED:
            self._taken_before.clear()
        self._taken_before[client] = before - 1
        return 0

    def owe(self, client: str, units: int) -> None:
        """Take units for what has been done already. The client may have fewer than none then, by a whole allowance."""
        limit = self._own.get(client, self._each)
        if limit is not None:
            units = min(units, limit.with_debt.peek(client).remaining)
            limit.with_debt.limit(client, units)
            self.taken += units

    def allowance(self, client: str) -> Allowance | None:
        """Return what a client may use; ``None`` if it has no limit."""
        limit = self._own.get(client, self._each)
        if limit is None:
            return None
        state = limit.allowance.peek(client)
        return Allowance(state.limit, WINDOW, state.remaining, ceil(state.reset_after))


class _Limit:
    """Holds the times of so many clients, each of which may use ``units`` in a window."""

    def __init__(self, units: int, clients: int) -> None:
        # Not at the start of a gateway without this limit: it takes a tenth of a second.
        from throttled import MemoryStore, RateLimiterRegistry, RateLimiterType, per_min

        self.units = units
        gcra = RateLimiterRegistry.get(RateLimiterType.GCRA.value)
        store = MemoryStore(options={"MAX_SIZE": clients})
        self.allowance = gcra(per_min(units, burst=units), store)
        # The same times, which may be a window further ahead.
        self.with_debt = gcra(per_min(units, burst=2 * units), store)
