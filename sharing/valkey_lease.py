"""Decides by a lease on a Valkey server which gateway may crawl, and gives it a fencing token that only grows.

The server's clock decides when the lease ends, so the clocks of the machines do not matter. Each new holder gets a
higher token, and a write with a lower token is refused, however late it comes
(https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html).
"""

from __future__ import annotations

from sharing.valkey_connection import PREFIX, Script, ValkeyConnection

LEASE_KEY = f"{PREFIX}:lease"
TOKEN_KEY = f"{PREFIX}:token"

_TAKE = Script("""
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
local token = tonumber(redis.call('GET', KEYS[2]) or '0')
if not holder or token == 0 then
  -- A failover can lose the last token, so no new token is lower than the time.
  local now = redis.call('TIME')
  token = math.max(token + 1, tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000))
  redis.call('SET', KEYS[2], string.format('%.0f', token))
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return token
""")

_DROP = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")


def take_lease(connection: ValkeyConnection, holder: str, seconds: float) -> int | None:
    """Return the token of ``holder``, who has the lease from now on for ``seconds``; ``None`` if another has it.

    :raises ValkeyUnavailable: the server does not say.
    """
    token: int = connection.run(_TAKE, (LEASE_KEY, TOKEN_KEY), (holder, max(1, round(seconds * 1000))))
    return token or None


def drop_lease(connection: ValkeyConnection, holder: str) -> None:
    """Let others take the lease at once, if ``holder`` has it.

    :raises ValkeyUnavailable: the server does not do it.
    """
    connection.run(_DROP, (LEASE_KEY,), (holder,))
