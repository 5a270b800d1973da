"""Limits what each client may cost in a minute, in units of cost.

Each client has an allowance of units. It can be used at once, and is refilled evenly within a minute.
This is the generic cell rate algorithm (GCRA), for which the library throttled-py keeps one time for each client.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from gateway.try_later import RateLimited

REQUEST = 1
"""The units that every request costs. The further units of its operation are taken when the operation runs."""

BYTES_OF_A_UNIT = 10_000
"""The bytes of a cached answer that cost one unit more."""

IN_ADVANCE = 20
"""The units that are taken at once for cached answers that follow one another. Taking each unit would add a third to
the cost of such an answer."""

WINDOW = 60
"""Seconds in which a whole allowance is refilled."""

REMEMBERED = 10_000
"""How many clients each process remembers, in about five megabytes. A new client takes the place of the client that was
seen longest ago, which then has its whole allowance again. An attacker gains nothing by this: a client is forgotten
only if ten thousand others send requests between two of its own, and so many addresses have allowances anyway."""


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

    ``units`` is the allowance of each client in a minute. ``own`` has the allowances of single clients by their names,
    where ``None`` is no limit. ``taken`` counts the units, and ``refused`` the requests that were refused.
    """

    def __init__(self, units: int, own: Mapping[str, int | None]) -> None:
        self.taken = 0
        self.refused = 0
        self._each = _Limit(units, REMEMBERED)
        self._taken_before: dict[str, int] = {}
        """The units of clients that were taken in advance."""
        self._own = {client: None if each is None else _Limit(each, 1) for client, each in own.items()}

    def wait(self, client: str, units: int) -> int:
        """Take units from a client and return 0. If the client has too few, return the seconds until it has enough.

        An operation that costs more than a whole allowance takes all units that the client has left.
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
        """Take one unit as :meth:`wait` does. Several units are taken in advance while there are enough."""
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
        """Take units for finished work. This can make the balance negative, by one whole allowance at most."""
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
    """Holds the times of a number of clients, which may use ``units`` each in a window."""

    def __init__(self, units: int, clients: int) -> None:
        # The import takes a tenth of a second, which a gateway without this limit need not spend at its start.
        from throttled import MemoryStore, RateLimiterRegistry, RateLimiterType, per_min

        self.units = units
        gcra = RateLimiterRegistry.get(RateLimiterType.GCRA.value)
        store = MemoryStore(options={"MAX_SIZE": clients})
        self.allowance = gcra(per_min(units, burst=units), store)
        # This limit has the same times, which may be a window further ahead.
        self.with_debt = gcra(per_min(units, burst=2 * units), store)
