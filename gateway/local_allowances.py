"""Holds the allowances of clients in the memory of this process.

An allowance can be used at once, and is refilled evenly within a minute. This is the generic cell rate algorithm
(GCRA), for which the library throttled-py keeps one time for each client: that at which its allowance is whole again.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

WINDOW = 60
"""Seconds in which a whole allowance is refilled."""


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


class LocalAllowances:
    """Holds the times of a number of ``clients``, which may use ``units`` each in a window."""

    def __init__(self, units: int, clients: int) -> None:
        # The import takes a tenth of a second, which a gateway without this limit need not spend at its start.
        from throttled import MemoryStore, RateLimiterRegistry, RateLimiterType, per_min

        self.units = units
        self.interval = WINDOW / units
        """Seconds in which one unit comes back."""
        self.max_with_debt = 2 * units
        """The units that a client can have used at once, with those of finished work."""
        gcra = RateLimiterRegistry.get(RateLimiterType.GCRA.value)
        store = MemoryStore(options={"MAX_SIZE": clients})
        self._allowances = gcra(per_min(units, burst=units), store)
        # This limit has the same times, which may be a window further ahead.
        self._with_debt = gcra(per_min(units, burst=self.max_with_debt), store)

    def take(self, client: str, units: int) -> int:
        """Take units from a client and return 0. If it has too few, return the seconds until it has enough."""
        result = self._allowances.limit(client, units)
        return max(1, ceil(result.state.retry_after)) if result.limited else 0

    def owe(self, client: str, units: int) -> int:
        """Take units that the client need not have, as many as it can owe, and return how many these were."""
        units = min(units, self._with_debt.peek(client).remaining)
        self._with_debt.limit(client, units)
        return units

    def used_until(self, client: str, seconds: float) -> None:
        """Take units from a client until its allowance takes at least this many seconds to be whole again."""
        missing = round((seconds - self._with_debt.peek(client).reset_after) / self.interval)
        if missing > 0:
            self.owe(client, missing)

    def of(self, client: str) -> Allowance:
        """Return what a client may use."""
        state = self._allowances.peek(client)
        return Allowance(self.units, WINDOW, state.remaining, ceil(state.reset_after))
