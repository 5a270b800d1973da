"""Reads and writes the rows of a refused crawl in the table ``records``: the state of the guard, and the difference.

They have a kind of their own. The functions work in a transaction that the caller begins and ends.
"""

from __future__ import annotations

import sqlite3

import msgspec

from catalog.refused_crawls import GuardState, RefusedDifference

GUARD = "guard"
"""Stands for a kind in the rows of the guard."""

OTHER_KINDS = (GUARD, "refused")
"""The kinds that stand for no record: the present kind, and the kind that earlier programs used for it."""

_STATE, _DIFFERENCE = 0, 1
"""The ids of these rows."""

MAX_KEPT_BYTES = 64_000_000
"""The largest difference that is kept, as JSON: several times the whole catalog of Django Packages."""


_decode_state = msgspec.json.Decoder(GuardState).decode
_decode_difference = msgspec.json.Decoder(RefusedDifference).decode


def write_state(connection: sqlite3.Connection, state: GuardState) -> None:
    """Write what the guard remembers. A difference whose crawl is no longer refused is deleted."""
    if state == GuardState():
        _delete(connection, _STATE)
    else:
        _write(connection, _STATE, msgspec.json.encode(state))
    if state.refused is None:
        _delete(connection, _DIFFERENCE)


def write_difference(connection: sqlite3.Connection, difference: RefusedDifference | None) -> None:
    """Write how the refused crawl differs; delete what was there if that is unknown, or more than is kept."""
    body = b"" if difference is None else msgspec.json.encode(difference)
    if body and len(body) <= MAX_KEPT_BYTES:
        _write(connection, _DIFFERENCE, body)
    else:
        _delete(connection, _DIFFERENCE)


def read_state(connection: sqlite3.Connection) -> GuardState:
    """Return what the guard remembers; nothing if the row is damaged."""
    try:
        return _decode_state(_read(connection, _STATE) or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return GuardState()


def read_difference(connection: sqlite3.Connection) -> RefusedDifference | None:
    """Return how the refused crawl differs; ``None`` if that is not kept, or the row is damaged."""
    body = _read(connection, _DIFFERENCE)
    try:
        return None if body is None else _decode_difference(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write(connection: sqlite3.Connection, id: int, body: bytes) -> None:
    connection.execute("INSERT OR REPLACE INTO records (kind, id, body) VALUES (?, ?, ?)", (GUARD, id, body))


def _delete(connection: sqlite3.Connection, id: int) -> None:
    connection.execute("DELETE FROM records WHERE kind = ? AND id = ?", (GUARD, id))


def _read(connection: sqlite3.Connection, id: int) -> bytes | None:
    # The cast is for a body whose type is damaged.
    select = "SELECT CAST(body AS BLOB) FROM records WHERE kind = ? AND id = ?"
    for (body,) in connection.execute(select, (GUARD, id)).fetchall():
        return bytes(body)
    return None
