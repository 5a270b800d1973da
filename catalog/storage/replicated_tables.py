"""Holds the tables of the catalog in the memory of this process, equal in all processes that share a server.

The changes of one transaction are one entry of the server's log. A process that writes first reads the entries that it
lacks, tries its transaction, undoes it, and appends its changes if the log still ends at the same entry. Like every
other process, it then applies that entry from the log. So readers need no server, and continue while it is unavailable.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, RLock

from catalog.storage.table_changes import (
    Entry,
    apply,
    changes_in,
    described,
    everything_in,
    pack,
    unpack,
    watch,
)
from sharing import ChangeLog, LogState, ValkeyUnavailable, changes_key, snapshot_key

AT_ONCE = 20
"""How many entries are read at once."""

ATTEMPTS = 3
"""How often the whole log is read, if a new snapshot replaces it each time meanwhile."""

MAX_PAST = 1000
"""How many names of changes are remembered."""

_PATIENCE = 5.0
"""Seconds that one thread waits for another."""


_log = logging.getLogger(__name__)


class CannotWrite(Exception):
    """A transaction was not stored. The message is the end of a sentence."""


class ReplicatedTables:
    """Holds the tables, which ``statements`` make. All methods may be called from any thread.

    Methods that ask the server raise :class:`~sharing.valkey_connection.ValkeyUnavailable`.
    """

    def __init__(self, log: ChangeLog, statements: Sequence[str]) -> None:
        self._log = log
        self._statements = statements
        self._asking = RLock()
        """Held while the server is asked. Readers do not wait for it."""
        self._lock = Lock()
        """Held while the tables are used."""
        self._state = LogState(0, "", 0)
        self._was_read = False
        """Whether the log was read at least once, so that the tables have had a consistent state."""
        self._past: deque[str] = deque(maxlen=MAX_PAST)
        """The names of the newest applied changes. A server whose log ends with one of them has lost the later ones."""
        self._connection = self._emptied()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Return the last known state of the tables."""
        if not self._was_read:
            self.catch_up()
        with self._in_use() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, token: int | None = None) -> Iterator[sqlite3.Connection]:
        """Return a transaction that is stored as a whole or not at all, everywhere.

        ``token`` is the token of the lease that allows the write; ``None`` for writes that need no lease.

        :raises CannotWrite: another process has written meanwhile, or has taken over the lease.
        """
        with _held(self._asking):
            self.catch_up()
            with self._in_use() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    watch(connection)
                    yield connection
                    entry = changes_in(connection, self._state.id)
                    catalog = described(connection)
                finally:
                    connection.execute("ROLLBACK")
            if entry is not None:
                self._append(entry, catalog, token)

    def catch_up(self) -> None:
        """Apply what other processes have written, and restore on the server what it has lost."""
        with _held(self._asking):
            state = self._log.state()
            if state.id == self._state.id:
                pass
            elif not state.id or state.id in self._past:
                self._put_snapshot(over=state.id)
            elif not self._take_changes(state):
                self._take_all()
            self._was_read = True

    def close(self) -> None:
        """Close the tables. Other methods must not be called any more."""
        with self._lock:
            self._connection.close()

    def _append(self, entry: Entry, catalog: bytes, token: int | None) -> None:
        outcome = self._log.append(self._state, entry.id, pack(entry), catalog, token)
        if outcome == "fenced":
            raise CannotWrite("another gateway has taken over the crawl, so what this one read is not stored")
        if outcome == "behind":
            raise CannotWrite("another process has written to it at the same time; try again")
        self._take(entry, self._state.number + 1)
        if outcome == "long":
            try:
                self._put_snapshot(over=entry.id)
            except ValkeyUnavailable as error:
                # The entry is stored nevertheless, and the next write tries again.
                _log.warning("The log on the server could not be shortened: %s.", error)

    def _put_snapshot(self, over: str) -> None:
        with self._in_use() as connection:
            everything, catalog = everything_in(connection, self._state.id), described(connection)
        self._log.put_snapshot(over, self._state, pack(everything), catalog)

    def _take_changes(self, state: LogState) -> bool:
        """Apply the changes up to a state, and return whether they lead from the present tables to it."""
        mine = self._state.number
        if not self._state.id or not mine < state.number or state.snapshot > mine:
            return False
        for entry, number in self._changes(mine, state.number):
            if entry is None or entry.after != self._state.id:
                return False  # the server lost what came before, and others have gone on without that
            self._take(entry, number)
        return True

    def _take_all(self) -> None:
        """Replace the tables by the snapshot and all changes after it."""
        for _ in range(ATTEMPTS):
            state = self._log.state()
            fresh, reached = self._emptied(), LogState(0, "", 0)
            if state.snapshot:
                packed = self._log.snapshot(state.snapshot)
                if packed is None:
                    continue
                entry = unpack(packed, snapshot_key(state.snapshot))
                apply(fresh, entry, snapshot_key(state.snapshot))
                reached = LogState(state.snapshot, entry.id, state.snapshot)
            for change, number in self._changes(state.snapshot, state.number):
                if change is None or change.after != reached.id:
                    break
                apply(fresh, change, changes_key(number))
                reached = LogState(number, change.id, state.snapshot)
            if reached == state:
                with self._in_use() as before:
                    self._connection, self._state = fresh, reached
                    self._past.append(reached.id)
                    before.close()
                return
        raise ValkeyUnavailable("what it has is incomplete; another program may have deleted some of it")

    def _changes(self, after: int, until: int) -> Iterator[tuple[Entry | None, int]]:
        """Yield the changes after a number, oldest first; ``None`` for a change that is missing."""
        for first in range(after + 1, until + 1, AT_ONCE):
            numbers = range(first, min(until, first + AT_ONCE - 1) + 1)
            for number, packed in zip(numbers, self._log.changes(numbers), strict=True):
                yield None if packed is None else unpack(packed, changes_key(number)), number

    def _take(self, entry: Entry, number: int) -> None:
        with self._in_use() as connection:
            apply(connection, entry, changes_key(number))
            self._state = LogState(number, entry.id, self._state.snapshot)
            self._past.append(entry.id)

    @contextmanager
    def _in_use(self) -> Iterator[sqlite3.Connection]:
        with _held(self._lock):
            yield self._connection

    def _emptied(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        for statement in self._statements:
            connection.execute(statement)
        return connection


@contextmanager
def _held(lock: Lock | RLock) -> Iterator[None]:
    if not lock.acquire(timeout=_PATIENCE):
        raise ValkeyUnavailable("another thread is using it")
    try:
        yield
    finally:
        lock.release()
