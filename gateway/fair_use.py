"""Limits what each client may cost in a minute, in units of cost.

Each client has an allowance of units (``gateway/local_allowances.py``), which gateways can share
(``gateway/allowance_sharing.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

from gateway.allowance_sharing import AllowanceSharing
from gateway.local_allowances import WINDOW, Allowance, LocalAllowances
from gateway.retry_later_errors import RateLimited

if TYPE_CHECKING:
    from sharing import SharedAllowances

REQUEST = 1
"""The units that every request costs. The further units of its operation are taken when the operation runs."""

BYTES_OF_A_UNIT = 10_000
"""The bytes of a cached answer that cost one unit more."""

IN_ADVANCE = 20
"""The units that are taken at once for cached answers that follow one another. Taking each unit would add a third to
the cost of such an answer."""

REMEMBERED = 10_000
"""How many clients each process remembers, in about five megabytes. A new client takes the place of the client that was
seen longest ago, which then has its whole allowance again. An attacker gains nothing by this: a client is forgotten
only if ten thousand others send requests between two of its own, and so many addresses have allowances anyway."""


def units_to_send(body: bytes) -> int:
    """Return the units of a cached answer beyond those of its request."""
    return len(body) // BYTES_OF_A_UNIT


class FairUse:
    """Takes the units that requests cost from the allowances of their clients.

    ``units`` is the allowance of each client in a minute. ``own`` has the allowances of single clients by their names,
    where ``None`` is no limit. ``shared`` counts for all gateways on one server. ``taken`` counts the units, and
    ``refused`` the requests that were refused.
    """

    def __init__(
        self, units: int, own: Mapping[str, int | None], shared: SharedAllowances | None = None
    ) -> None:
        self.taken = 0
        self.refused = 0
        self.sharing = None if shared is None else AllowanceSharing(shared, REMEMBERED)
        self._each = LocalAllowances(units, REMEMBERED)
        self._taken_before: dict[str, int] = {}
        """The units of clients that were taken in advance."""
        self._own = {
            client: None if each is None else LocalAllowances(each, 1) for client, each in own.items()
        }

    def wait(self, client: str, units: int) -> int:
        """Take units from a client and return 0. If the client has too few, return the seconds until it has enough.

        An operation that costs more than a whole allowance takes all units that the client has left. A client whose
        units have to be asked for from a server waits as well: only :meth:`take` asks.
        """
        allowances = self._own.get(client, self._each)
        if allowances is None:
            return 0
        cost = _at_most(allowances, units)
        if self.sharing is not None and self.sharing.must_ask(client, cost, allowances):
            return 1
        return self._wait(client, cost, allowances)

    async def take(self, client: str, units: int) -> None:
        """Take units from a client.

        :raises RateLimited: it has too few.
        """
        allowances = self._own.get(client, self._each)
        if allowances is None:
            return
        cost, charged = _at_most(allowances, units), None
        if self.sharing is not None and self.sharing.must_ask(client, cost, allowances):
            charged = await self.sharing.ask(client, cost, allowances)
        if charged is None:
            seconds = self._wait(client, cost, allowances)
            remaining = allowances.of(client).remaining if seconds else 0
        elif charged.is_taken:
            self.taken += cost
            return
        else:
            seconds, remaining = max(1, ceil(charged.retry_after)), charged.remaining
        if seconds:
            self.refused += 1
            raise RateLimited(
                f"The cost of this request is {units:,}, and you have {remaining:,} of the {allowances.units:,} units "
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

    def reserve(self, client: str, units: int) -> bool:
        """Take units in advance, as :meth:`wait` does, if fewer are taken already; return whether they could be.

        Work that is done for them has to :meth:`use` them. Otherwise they stay reserved for later work.
        """
        before = self._taken_before.get(client, 0)
        if before >= units:
            return True
        if self.wait(client, units - before):
            return False
        if len(self._taken_before) >= REMEMBERED:
            self._taken_before.clear()
        self._taken_before[client] = units
        return True

    def use(self, client: str, units: int) -> None:
        """Use up reserved units."""
        left = self._taken_before.pop(client, 0) - units
        if left:
            self._taken_before[client] = left

    def owe(self, client: str, units: int) -> None:
        """Take units for finished work. This can make the balance negative, by one whole allowance at most."""
        allowances = self._own.get(client, self._each)
        if allowances is not None:
            units = allowances.owe(client, units)
            self.taken += units
            if self.sharing is not None:
                self.sharing.spent(client, units, allowances)

    def allowance(self, client: str) -> Allowance | None:
        """Return what a client may use, as far as this gateway knows; ``None`` if it has no limit."""
        allowances = self._own.get(client, self._each)
        return None if allowances is None else allowances.of(client)

    async def aclose(self) -> None:
        """Finish telling what clients have used."""
        if self.sharing is not None:
            await self.sharing.aclose()

    def _wait(self, client: str, cost: int, allowances: LocalAllowances) -> int:
        """Take units by what this gateway knows, as :meth:`wait` does."""
        seconds = allowances.take(client, cost)
        if not seconds:
            self.taken += cost
            if self.sharing is not None:
                self.sharing.spent(client, cost, allowances)
        return seconds


def _at_most(allowances: LocalAllowances, units: int) -> int:
    return min(units, max(REQUEST, allowances.units - REQUEST))
