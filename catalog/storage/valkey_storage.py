"""Stores the last good catalog on a Valkey or Redis server, for gateways on many machines.

Each process has the tables in its memory (``catalog.storage.replicated_tables``), so that reads cost the server
nothing and work without it. The server has the log of the changes of the tables, the lease of the one gateway that
crawls, and the fencing token without which a crawl is not stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from catalog.history import catalog_versions, change_feed, record_change_rows
from catalog.refused_crawls import GuardState
from catalog.storage import record_rows
from catalog.storage.replicated_tables import CannotWrite, ReplicatedTables
from catalog.storage.sql_storage import SqlStorage
from catalog.storage.storage_port import Stored
from sharing import ChangeLog, ValkeyConnection, ValkeyUnavailable, drop_lease, take_lease
from upstream.client import StorageAway

_TABLES = (
    record_rows.TABLE,
    *change_feed.TABLES,
    *catalog_versions.TABLES,
    *record_change_rows.TABLES,
)


class ValkeyStorage(SqlStorage):
    """Stores the catalog on one server. It connects when it first needs the server, so the constructor does not fail.

    All methods raise :class:`~upstream.client.StorageAway` when the server refuses or does not answer; a later call may
    succeed. The caller closes the connection.
    """

    other_upstream = (
        "it has the catalog of another upstream; set GATEWAY_STORAGE to another database of the server"
    )

    def __init__(
        self,
        connection: ValkeyConnection,
        history_days: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``history_days`` is for how long versions are kept; ``None`` is for ever. ``now`` tells the time, aware."""
        self._connection = connection
        self._tables = ReplicatedTables(ChangeLog(connection), _TABLES)
        self._token: int | None = None
        """The token of the lease that this process had last; 0 if it only tried, ``None`` if it never did."""
        tables = _Refusing(self._tables, str(connection.address))
        super().__init__(str(connection.address), tables, tables, tables, history_days, now)
        self._refusing = tables

    def load(self) -> Stored | None:
        """Return the catalog that was saved last; None when none was. A damaged row is left out and logged."""
        self._catch_up()
        return super().load()

    def saved(self) -> tuple[str, datetime] | None:
        """Return the version and ``refreshed_at`` that :meth:`load` would give now; cheap enough for every second."""
        self._catch_up()
        return super().saved()

    def guard_state(self) -> GuardState:
        """Return the state of the guard. It is cheap enough to ask for every second."""
        self._catch_up()
        return super().guard_state()

    def take_lease(self, holder: str, seconds: float) -> bool:
        """Return whether ``holder`` may crawl from now on for ``seconds``: a new lease, or a renewed one."""
        # From now on this process has to prove that it may store a crawl.
        self._token = self._token or 0
        with self._refusing.refusals():
            token = take_lease(self._connection, holder, seconds)
        self._token = token or self._token
        return token is not None

    def drop_lease(self, holder: str) -> None:
        """Let others take the lease at once, if ``holder`` has it."""
        with self._refusing.refusals():
            drop_lease(self._connection, holder)

    def close(self) -> None:
        """Close it. Other methods must not be called any more."""
        self._tables.close()

    def _catch_up(self) -> None:
        with self._refusing.refusals():
            self._tables.catch_up()

    def _crawl_writing(self, *, is_crawl: bool) -> AbstractContextManager[sqlite3.Connection]:
        # Single records from upstream are stored only over the catalog that this process knows, so they need no lease.
        return self._refusing.writing(self._token if is_crawl else None)

    @property
    def _described(self) -> str:
        return f"the storage {self._name}"


class _Refusing:
    """Gives the tables, and turns errors of the server into errors of a storage."""

    def __init__(self, tables: ReplicatedTables, name: str) -> None:
        self._tables = tables
        self._name = name

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self.refusals(), self._tables.reading() as connection:
            yield connection

    @contextmanager
    def writing(self, token: int | None = None) -> Iterator[sqlite3.Connection]:
        with self.refusals(), self._tables.writing(token) as connection:
            yield connection

    @contextmanager
    def refusals(self) -> Iterator[None]:
        try:
            yield
        except (ValkeyUnavailable, CannotWrite) as error:
            raise StorageAway(self._name, str(error)) from error
