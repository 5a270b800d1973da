"""Reads and writes the log of changes on the server: numbered blobs that never change, and sometimes a snapshot of all
so far.

The keys under the prefix are ``state``, a hash that names the newest change and snapshot, ``changes:<number>`` and
``snapshot:<number>``. A process that has applied all changes up to a number applies those after it. A new process reads
the snapshot and the changes after it. A new snapshot deletes the changes that it covers, by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sharing.valkey_connection import PREFIX, Script, ValkeyConnection, ValkeyUnavailable
from sharing.valkey_lease import TOKEN_KEY

LAYOUT = b"1"
"""The layout of the keys and of their values. A log of another layout is not touched."""

STATE_KEY = f"{PREFIX}:state"

CHANNEL = f"{PREFIX}:news"
"""The channel on which the number of each new change is announced."""

MAX_CHANGES = 200
"""How many changes are kept after a snapshot."""

MIN_BYTES = 1_000_000
"""The bytes of changes that may always follow a snapshot. Beyond that, its own size is the limit."""

_APPEND = Script("""
local state = redis.call('HMGET', KEYS[1], 'id', 'number', 'snapshot', 'bytes', 'snapshot_bytes')
if state[1] == ARGV[2] then return 'stored' end
local token = redis.call('GET', KEYS[2])
if ARGV[5] ~= '' and token and tonumber(ARGV[5]) < tonumber(token) then return 'fenced' end
if (state[1] or '') ~= ARGV[1] then return 'behind' end
redis.call('SET', KEYS[3], ARGV[4])
local bytes = (tonumber(state[4]) or 0) + #ARGV[4]
redis.call('HSET', KEYS[1], 'layout', ARGV[6], 'id', ARGV[2], 'number', ARGV[3], 'bytes', bytes, 'catalog', ARGV[8])
redis.call('PUBLISH', ARGV[7], ARGV[3])
local most = math.max(tonumber(state[5]) or 0, tonumber(ARGV[10]))
if bytes > most or tonumber(ARGV[3]) - (tonumber(state[3]) or 0) >= tonumber(ARGV[9]) then return 'long' end
return 'stored'
""")

_PUT_SNAPSHOT = Script("""
local state = redis.call('HMGET', KEYS[1], 'id', 'number', 'snapshot')
if (state[1] or '') ~= ARGV[1] then return 0 end
local before, number = tonumber(state[3]) or 0, tonumber(state[2]) or 0
redis.call('SET', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[1], 'layout', ARGV[5], 'id', ARGV[2], 'number', ARGV[3], 'catalog', ARGV[6],
  'snapshot', ARGV[3], 'snapshot_bytes', #ARGV[4], 'bytes', 0)
if before > 0 and before ~= tonumber(ARGV[3]) then redis.call('DEL', ARGV[7] .. ':snapshot:' .. before) end
for each = before + 1, number do redis.call('DEL', ARGV[7] .. ':changes:' .. each) end
redis.call('PUBLISH', ARGV[8], ARGV[3])
return 1
""")


class LogState(NamedTuple):
    """Says where the log ends."""

    number: int
    """How many changes there have been; 0 before the first."""
    id: str
    """The name of the newest change, which no other change ever had; empty before the first."""
    snapshot: int
    """The number of the change up to which the snapshot is; 0 if there is none."""


class ChangeLog:
    """Reads and writes the log on one server. Every method blocks and raises :class:`ValkeyUnavailable`."""

    def __init__(self, connection: ValkeyConnection) -> None:
        self._connection = connection

    def state(self) -> LogState:
        """Return where the log ends. It is cheap enough to ask for every second."""
        fields = ("layout", "number", "id", "snapshot")
        found: list[bytes | None] = self._connection.do(lambda client: client.hmget(STATE_KEY, fields))
        layout, number, id, snapshot = found
        if layout is None and number is None and id is None:
            return LogState(0, "", 0)
        if layout != LAYOUT:
            raise ValkeyUnavailable(
                f"the key {STATE_KEY} is of another program or of another version of the gateway; use another "
                "database of the server"
            )
        try:
            return LogState(int(number or b""), (id or b"").decode(), int(snapshot or 0))
        except ValueError:
            raise damaged(STATE_KEY) from None

    def snapshot(self, number: int) -> bytes | None:
        """Return a snapshot; ``None`` if it has been replaced meanwhile."""
        found: bytes | None = self._connection.do(lambda client: client.get(snapshot_key(number)))
        return found

    def changes(self, numbers: Sequence[int]) -> list[bytes | None]:
        """Return the changes with these numbers; ``None`` for those that a snapshot has replaced meanwhile."""
        keys = [changes_key(number) for number in numbers]
        found: list[bytes | None] = self._connection.do(lambda client: client.mget(keys))
        return found

    def append(
        self, after: LogState, id: str, changes: bytes, catalog: bytes, token: int | None
    ) -> Literal["stored", "long", "fenced", "behind"]:
        """Append changes, announce them, and return the outcome.

        The outcome is ``stored``; ``long`` if the changes were stored and a new snapshot is due; ``fenced`` if a higher
        token than ``token`` has been issued; or ``behind`` if the log no longer ends at ``after``. ``catalog`` names
        the version of the catalog after the changes.
        """
        number = after.number + 1
        keys = (STATE_KEY, TOKEN_KEY, changes_key(number))
        given = "" if token is None else token
        limits = (MAX_CHANGES, MIN_BYTES)
        arguments = (after.id, id, number, changes, given, LAYOUT, CHANNEL, catalog, *limits)
        outcome: bytes = self._connection.run(_APPEND, keys, arguments)
        return outcome.decode()  # type: ignore[return-value] # the script returns nothing else

    def put_snapshot(self, over: str, state: LogState, snapshot: bytes, catalog: bytes) -> None:
        """Store a snapshot of all changes up to ``state``, and delete the changes that it covers.

        This is done only if the newest change on the server is ``over``, which is the change of ``state``, or an older
        one if the server has lost the later ones.
        """
        keys = (STATE_KEY, snapshot_key(state.number))
        arguments = (over, state.id, state.number, snapshot, LAYOUT, catalog, PREFIX, CHANNEL)
        self._connection.run(_PUT_SNAPSHOT, keys, arguments)


def changes_key(number: int) -> str:
    """Return the key of a change."""
    return f"{PREFIX}:changes:{number}"


def snapshot_key(number: int) -> str:
    """Return the key of a snapshot."""
    return f"{PREFIX}:snapshot:{number}"


def damaged(key: str) -> ValkeyUnavailable:
    """Return the failure for a key whose value no gateway wrote."""
    return ValkeyUnavailable(
        f"the key {key} is damaged or of another program; use another database of the server"
    )
