"""Writes the whole catalog as one SQLite file, with tables that describe the file and its columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from catalog.export.columns import TABLES, ColumnType, ExportedColumn, ExportedTable
from catalog.export.provenance import Provenance
from catalog.indexed_catalog import Catalog

_TYPES: Mapping[ColumnType, str] = {
    "integer": "INTEGER",
    "text": "TEXT",
    "boolean": "INTEGER",
    "moment": "TEXT",
    "integers": "TEXT",
    "texts": "TEXT",
}

_REFERENCES = {("packages", "category"): "categories", ("memberships", "grid"): "grids"}
_REFERENCES |= {("memberships", "package"): "packages"}
"""The tables to which columns refer. References are not enforced, because upstream may name missing records."""


def write_sqlite(catalog: Catalog, provenance: Provenance, path: Path) -> None:
    """Write all tables, and the tables ``about`` and ``columns``, which describe them.

    :raises OSError: the file cannot be written.
    """
    try:
        # The journal is off, because a file that was not written to its end is deleted.
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            _describe(connection, provenance)
            for table in TABLES:
                _write(connection, table, catalog)
            connection.execute("CREATE INDEX memberships_by_package ON memberships (package)")
            connection.execute("CREATE INDEX packages_by_slug ON packages (slug)")
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise OSError(f"SQLite says: {error}") from error


def _describe(connection: sqlite3.Connection, provenance: Provenance) -> None:
    connection.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    connection.executemany("INSERT INTO about VALUES (?, ?)", provenance.facts.items())
    connection.execute(
        'CREATE TABLE columns ("table" TEXT, name TEXT, type TEXT, unit TEXT, meaning TEXT, source TEXT,'
        ' PRIMARY KEY ("table", name))'
    )
    connection.executemany(
        "INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?)",
        [
            (table.name, column.name, column.type, column.unit, column.meaning, column.source)
            for table in TABLES
            for column in table.columns
        ],
    )


def _write(connection: sqlite3.Connection, table: ExportedTable, catalog: Catalog) -> None:
    parts = [_declaration(table, column) for column in table.columns]
    connection.execute(
        f"CREATE TABLE {table.name} ({', '.join(parts)}, PRIMARY KEY ({', '.join(table.key)}))"
    )
    makes = [_MAKE.get(column.type) for column in table.columns]
    connection.executemany(
        f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})",
        (
            [
                value if make is None or value is None else make(value)
                for make, value in zip(makes, table.values(catalog, row), strict=True)
            ]
            for row in table.rows(catalog)
        ),
    )


def _declaration(table: ExportedTable, column: ExportedColumn) -> str:
    required = "" if column.nullable else " NOT NULL"
    other = _REFERENCES.get((table.name, column.name))
    reference = "" if other is None else f" REFERENCES {other} (id)"
    return f'"{column.name}" {_TYPES[column.type]}{required}{reference}'


def _json(values: Any) -> str:
    return msgspec.json.encode(values).decode()


def _text(moment: datetime) -> str:
    # All texts have one length, so that they sort like the moments.
    return moment.isoformat(timespec="microseconds")


_MAKE: Mapping[ColumnType, Callable[[Any], Any]] = {"moment": _text, "integers": _json, "texts": _json}
"""Converts values that SQLite cannot store to values that it can."""
