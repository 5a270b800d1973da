"""Shares the limits on requests to upstream among all gateways on one server, as if they were one gateway.

A request takes a turn before it is sent and gives it back when it has its answer. The server counts the requests that
are under way, and knows until when no gateway may ask upstream, whichever gateway has learned this. Searches and
unknown keys share one budget. While the server cannot be used, each gateway applies its own limits.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import NamedTuple

from sharing.valkey_connection import PREFIX, Script, ValkeyConnection, ValkeyUnavailable

_TURN_KEYS = (f"{PREFIX}:in-flight", f"{PREFIX}:left-alone", f"{PREFIX}:probe")
_BUDGET_KEY = f"{PREFIX}:budget"

PROBE_PAUSE = 1.0
"""Seconds for which a request is held back while another gateway's request probes whether upstream answers again."""

_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
"""

_ENTER = Script(
    _NOW
    + """
local ticket, most, longest, may_probe, pause = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local alone = redis.call('HMGET', KEYS[2], 'until', 'asked')
local is_probe = false
if alone[1] then
  local left = tonumber(alone[1]) - now
  if left > 0 then return {0, left, tonumber(alone[2])} end
  is_probe = true
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local out = redis.call('ZCARD', KEYS[1])
if out >= most then return {0, 0, 0} end
if is_probe then
  if may_probe == '0' or not redis.call('SET', KEYS[3], ticket, 'NX', 'PX', longest) then
    return {0, tonumber(pause), tonumber(alone[2])}
  end
end
redis.call('ZADD', KEYS[1], now + longest, ticket)
redis.call('PEXPIRE', KEYS[1], longest)
return {out + 1, 0, is_probe and 1 or 0}
"""
)

_LEAVE = Script(
    _NOW
    + """
local ticket, rest, asked, answered = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
redis.call('ZREM', KEYS[1], ticket)
local was_probe = redis.call('GET', KEYS[3]) == ticket
if was_probe then redis.call('DEL', KEYS[3]) end
if answered == '1' then
  if was_probe then redis.call('DEL', KEYS[2]) end
  return 0
end
if was_probe then rest = math.max(rest, tonumber(ARGV[5])) end
if rest > 0 then
  local before = tonumber(redis.call('HGET', KEYS[2], 'until') or '0')
  if now + rest > before then
    redis.call('HSET', KEYS[2], 'until', string.format('%.0f', now + rest), 'asked', asked)
    redis.call('PEXPIRE', KEYS[2], rest + 60000)
  end
end
return 0
"""
)

_SPEND = Script(
    _NOW
    + """
local per_second, most, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = math.min(most, (tonumber(known[1]) or most) + (now - (tonumber(known[2]) or now)) / 1000 * per_second)
if left < amount then return math.ceil((amount - left) / per_second * 1000) end
redis.call('HSET', KEYS[1], 'left', tostring(math.min(most, left - amount)), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(most / per_second * 1000))
return 0
"""
)


class SharedTurn(NamedTuple):
    """Holds the result of asking for a turn. Without a ticket and a rest, all turns are taken."""

    ticket: str | None
    in_flight: int
    """How many requests of all gateways are under way, with this one; 0 without a ticket."""
    rest: float
    """Seconds for which no request may be sent to upstream."""
    is_asked_for: bool
    """Whether upstream asked for this rest; otherwise it has failed too often."""
    is_probe: bool
    """Whether this request probes for all gateways whether upstream answers again after a rest."""


class SharedPace:
    """Counts on one server. Nothing here raises. With ``None`` and 0 a gateway continues by its own limits."""

    def __init__(self, connection: ValkeyConnection, longest: float, rest: float, per_minute: float) -> None:
        """``longest`` is how many seconds a request can take, ``rest`` for how many an upstream is left alone that
        has failed again. ``per_minute`` is the budget, and the most that can be spent at once.
        """
        self._connection = connection
        self._rest = round(rest * 1000)
        self._longest = round(longest * 1000)
        self._budget = (per_minute / 60, max(1.0, per_minute))
        self._telling = set[asyncio.Task[None]]()

    async def enter(self, most: int, *, may_probe: bool) -> SharedTurn | None:
        """Ask for one of ``most`` turns. Return ``None`` if the server cannot be used."""
        ticket = f"{random.getrandbits(64):016x}"
        given = (ticket, most, self._longest, int(may_probe), round(PROBE_PAUSE * 1000))
        try:
            in_flight, rest, is_so = await self._connection.arun(_ENTER, _TURN_KEYS, given)
        except ValkeyUnavailable:
            return None
        if in_flight:
            return SharedTurn(ticket, in_flight, 0.0, is_asked_for=False, is_probe=bool(is_so))
        return SharedTurn(None, 0, rest / 1000, is_asked_for=bool(is_so), is_probe=False)

    async def leave(self, turn: SharedTurn, *, answered: bool, rest: float, is_asked_for: bool) -> None:
        """Give a turn back. If upstream has not ``answered``, all gateways stop asking it for ``rest`` seconds."""
        given = (turn.ticket or "", round(rest * 1000), int(is_asked_for), int(answered), self._rest)
        told = self._tell(_LEAVE, _TURN_KEYS, given)
        if turn.is_probe:
            # Until the server knows this, it gives no other turn, and this gateway may want one next.
            await asyncio.shield(told)

    async def spend(self) -> float:
        """Spend one request of the budget. Return 0 if there was one, or else the seconds until there is."""
        try:
            milliseconds: int = await self._connection.arun(_SPEND, (_BUDGET_KEY,), (*self._budget, 1))
        except ValkeyUnavailable:
            return 0.0
        return milliseconds / 1000

    def give_back(self) -> None:
        """Return one request to the budget that was spent and not needed."""
        self._tell(_SPEND, (_BUDGET_KEY,), (*self._budget, -1))

    async def aclose(self) -> None:
        """Wait until the server has been told everything."""
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _tell(
        self, script: Script, keys: tuple[str, ...], given: tuple[str | float, ...]
    ) -> asyncio.Task[None]:
        """Tell the server without waiting for it."""

        async def tell() -> None:
            with suppress(ValkeyUnavailable):  # a turn that is not given back expires
                await self._connection.arun(script, keys, given)

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return task
