"""Shares what clients use of their allowances with the other gateways, by a server that counts for all of them.

Each gateway decides by the allowances in its own memory, and tells the server afterwards. So a client that is far from
its limit never waits for the server. What a gateway may leave untold is a small part of what the client has left, and
more than that is asked for first. Each answer of the server includes what the other gateways have told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from caching import BoundedCache
from gateway.local_allowances import LocalAllowances
from sharing import Charge, Charged

if TYPE_CHECKING:
    from sharing import SharedAllowances

PART_OF_ALL = 100
"""A gateway leaves at most a hundredth of a whole allowance untold. So each gateway can give a client that much more
than there is, once: it is told then, and the client has less later."""

PART_OF_THE_REST = 20
"""A gateway leaves at most a twentieth of what the client has left untold. So twenty gateways give a client nothing
more than there is while each knows what the others have told."""

ALWAYS_UNTOLD = 1000
"""A gateway leaves a thousandth of a whole allowance untold even if the client has less left. Otherwise a client at its
limit, which sends request after request for cached answers, would cause an exchange with the server for each."""

MAX_TOGETHER = 100
"""The most clients that one exchange with the server is about."""

PAUSE = 1.0
"""Seconds between attempts while the server cannot be used."""


class AllowanceSharing:
    """Tells a server what the clients of this gateway have used, in one exchange at a time.

    While the server cannot be used, this gateway counts by itself, and what is used meanwhile is not told later. What
    was sent is not sent again either, since the server may have counted it.
    """

    def __init__(self, server: SharedAllowances, clients: int) -> None:
        """``clients`` is how many clients are remembered, with what is untold of them."""
        self._server = server
        self._clients = clients
        self._accounts: BoundedCache[str, _Account] = BoundedCache(entries=clients)
        self._due: dict[str, _Account] = {}
        """The accounts that the next exchanges are about."""
        self._exchanging: asyncio.Task[None] | None = None
        self._paused_until = 0.0

    @property
    def works(self) -> bool:
        """Return whether the server could be used lately."""
        return self._server.works

    def must_ask(self, client: str, units: int, allowances: LocalAllowances) -> bool:
        """Return whether the server has to be asked before a client may have units."""
        if not self.works:
            return False
        account = self._account(client, allowances)
        if account.untold + units <= account.max_untold:
            return False
        remaining = allowances.of(client).remaining
        account.max_untold = _max_untold(allowances, remaining)
        # A client that has too few by what is known here is refused without asking.
        return account.untold + units > account.max_untold and units <= remaining

    def spent(self, client: str, units: int, allowances: LocalAllowances) -> None:
        """Tell the server, soon, of units that a client has used and the server was not asked for."""
        if not self.works and time.monotonic() < self._paused_until:
            return
        account = self._account(client, allowances)
        account.untold += units
        is_due = not self.works or 2 * (account.untold - account.being_told) >= account.max_untold
        if is_due and len(self._due) < self._clients:
            self._exchange_soon(client, account)

    async def ask(self, client: str, units: int, allowances: LocalAllowances) -> Charged | None:
        """Ask the server for units, which are then taken here too if the client has them.

        Return ``None``, and take nothing, if the server cannot be used.
        """
        account = self._account(client, allowances)
        question = _Question(units, asyncio.get_running_loop().create_future())
        account.questions.append(question)
        self._exchange_soon(client, account)
        return await question.answered

    async def aclose(self) -> None:
        """Finish the exchanges, and leave the server."""
        if self._exchanging is not None:
            await self._exchanging
        await self._server.aclose()

    def _account(self, client: str, allowances: LocalAllowances) -> _Account:
        account = self._accounts.get(client)
        if account is None:
            account = self._due.get(client) or _Account(client, allowances)
            self._accounts.put(client, account)
        return account

    def _exchange_soon(self, client: str, account: _Account) -> None:
        self._due[client] = account
        if self._exchanging is None or self._exchanging.done():
            self._exchanging = asyncio.create_task(self._exchange_all())

    async def _exchange_all(self) -> None:
        try:
            while self._due:
                await self._exchange(
                    [self._due.pop(client) for client in list(islice(self._due, MAX_TOGETHER))]
                )
        finally:
            # Some are left after an error that nobody expected. Their clients would wait for the next exchange.
            for account in self._due.values():
                list(account.begin())
                account.end()
            self._due.clear()

    async def _exchange(self, accounts: list[_Account]) -> None:
        try:
            charges = [charge for account in accounts for charge in account.begin()]
            began = time.monotonic()
            charged = await self._server.charge(charges) if charges else []
            if charged is None:
                self._paused_until = time.monotonic() + PAUSE
                return
            answers, late = iter(charged), time.monotonic() - began
            for account in accounts:
                account.hear(answers, late)
        finally:
            for account in accounts:
                account.end()


class _Question(NamedTuple):
    """Asks for units, and is answered with what :meth:`AllowanceSharing.ask` returns."""

    units: int
    answered: asyncio.Future[Charged | None]


class _Account:
    """Holds what is to be told and asked about one client."""

    __slots__ = ("allowances", "asked", "being_told", "client", "max_untold", "questions", "untold")

    def __init__(self, client: str, allowances: LocalAllowances) -> None:
        self.client = client
        self.allowances = allowances
        self.max_untold = 0
        self.untold = 0
        """The units that the server has not counted yet, with those that it is being told of."""
        self.being_told = 0
        self.questions: list[_Question] = []
        """What is asked with the next exchange."""
        self.asked: list[_Question] = []
        """What is asked by the exchange that is under way."""

    def begin(self) -> Iterator[Charge]:
        """Yield what the server is to charge: what is untold, and then what is asked for."""
        interval, units = self.allowances.interval, self.allowances.units
        self.asked = [each for each in self.questions if not each.answered.done()]
        self.questions = []
        self.being_told = self.untold
        if self.being_told:
            yield Charge(self.client, self.being_told, interval, self.allowances.max_with_debt)
        for question in self.asked:
            yield Charge(self.client, question.units, interval, units)

    def hear(self, answers: Iterator[Charged], late: float) -> None:
        """Take the answers to the charges, which were sent ``late`` seconds ago."""
        charged: Charged | None = None
        if self.being_told:
            charged = next(answers)
            self.untold -= self.being_told
            if not charged.is_taken:
                # The client owes almost as much as it can, and no more than that can be told.
                self.untold += min(self.being_told, charged.remaining)
            self.being_told = 0
        for question in self.asked:
            charged = next(answers)
            if charged.is_taken:
                self.allowances.owe(self.client, question.units)
            if not question.answered.done():
                question.answered.set_result(charged)
        if charged is not None:
            untold = self.untold * self.allowances.interval
            self.allowances.used_until(self.client, charged.whole_after - late + untold)
            self.max_untold = _max_untold(self.allowances, self.allowances.of(self.client).remaining)

    def end(self) -> None:
        """Forget what was sent and not answered."""
        self.untold -= self.being_told
        self.being_told = 0
        for question in self.asked:
            if not question.answered.done():
                question.answered.set_result(None)
        self.asked = []


def _max_untold(allowances: LocalAllowances, remaining: int) -> int:
    of_the_rest = min(allowances.units // PART_OF_ALL, remaining // PART_OF_THE_REST)
    return max(allowances.units // ALWAYS_UNTOLD, of_the_rest)
