"""Tests that the files of tables have the values of the records, in every format, with odd values among them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from catalog.export.columns import MEMBERSHIPS, PACKAGES, TABLES, ExportedTable
from catalog.export.ndjson_writing import write_lines
from catalog.export.parquet_writing import ROWS_IN_A_GROUP, write_parquet
from catalog.export.provenance import ATTRIBUTION, DEMO, Provenance
from catalog.export.sqlite_writing import write_sqlite
from catalog.indexed_catalog import Catalog
from tests.support.gateways_with_files import lines_in
from tests.support.made_records import catalog_of, category, grid, package

STORED = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NEAR_THE_BEGIN = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))


@pytest.fixture(params=["crawled", "odd"])
def catalog(request: pytest.FixtureRequest, _crawled: Catalog) -> Catalog:
    if request.param == "crawled":
        return _crawled
    return catalog_of(
        package(1, repo_watchers=10**30, repo_forks=-(10**30), title='tea 🫖 \u2028 \x00 \\ "', category=77),
        package(2, commits_over_52=None, participants=(), pypi_version=None, grids=(1, 9)),
        package(3, commits_over_52=(), created=NEAR_THE_BEGIN, unfit=("last_updated",), last_updated=None),
        package(4, commits_over_52=(2**31 - 1,) * 52, participants=("ada", "grace")),
        grid(1, packages=(3, 1, 2, 999)),
        grid(2, packages=()),
        category(1),
    )


@pytest.fixture
def provenance(catalog: Catalog) -> Provenance:
    return Provenance(catalog.version, STORED, demo=True)


def expected(table: ExportedTable, catalog: Catalog) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, table.values(catalog, row), strict=True)) for row in table.rows(catalog)]


def as_lists(row: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_parquet_has_the_values_and_says_what_they_are(
    table: ExportedTable, catalog: Catalog, provenance: Provenance, tmp_path: Path
) -> None:
    path = tmp_path / "table.parquet"
    write_parquet(table, catalog, provenance, path)
    read = parquet.read_table(path)
    assert read.to_pylist() == [as_lists(row) for row in expected(table, catalog)]
    about = {name.decode(): value.decode() for name, value in read.schema.metadata.items()}
    assert about["version"] == catalog.version
    assert about["stored_at"] == "2026-11-28T12:00:00+00:00"
    assert (about["origin"], about["source"]) == ("demo", DEMO)
    for column in table.columns:
        field = read.schema.field(column.name)
        told = {name.decode(): value.decode() for name, value in field.metadata.items()}
        assert (told["meaning"], told["unit"], told["source"]) == (column.meaning, column.unit, column.source)
        assert field.nullable == column.nullable


def test_parquet_of_many_rows_can_be_read_group_by_group(tmp_path: Path) -> None:
    catalog = catalog_of(*(package(id) for id in range(3 * ROWS_IN_A_GROUP + 1)))
    provenance = Provenance(catalog.version, STORED, demo=False)
    write_parquet(PACKAGES, catalog, provenance, tmp_path / "packages.parquet")
    file = parquet.ParquetFile(tmp_path / "packages.parquet")
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert groups == [*[ROWS_IN_A_GROUP] * 3, 1]
    assert file.schema_arrow.metadata[b"source"].decode() == ATTRIBUTION


def test_sqlite_has_the_values_and_says_what_they_are(
    catalog: Catalog, provenance: Provenance, tmp_path: Path
) -> None:
    write_sqlite(catalog, provenance, tmp_path / "catalog.sqlite")
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        for table in TABLES:
            order = ", ".join(f"{name} DESC" if name != "package" else name for name in table.key)
            rows = connection.execute(f"SELECT * FROM {table.name} ORDER BY {order}").fetchall()
            types = {column.name: column.type for column in table.columns}
            read = [{name: from_sqlite(types[name], row[name]) for name in row.keys()} for row in rows]  # noqa: SIM118
            assert read == [as_lists(row) for row in expected(table, catalog)]
        about = dict(tuple(row) for row in connection.execute("SELECT name, value FROM about"))
        assert about == provenance.facts
        declared = connection.execute('SELECT "table", name, type, unit, meaning, source FROM columns')
        assert {tuple(row) for row in declared} == {
            (table.name, column.name, column.type, column.unit, column.meaning, column.source)
            for table in TABLES
            for column in table.columns
        }


def from_sqlite(type: str, value: Any) -> Any:
    if value is None:
        return None
    if type == "moment":
        return datetime.fromisoformat(value)
    if type == "boolean":
        return bool(value)
    return json.loads(value) if type in ("integers", "texts") else value


def test_lines_have_the_fields_of_the_rest_api_as_they_came(catalog: Catalog, tmp_path: Path) -> None:
    for table in TABLES:
        write_lines(table, catalog, tmp_path / "lines")
        lines = lines_in((tmp_path / "lines").read_bytes())
        assert len(lines) == len(expected(table, catalog))
        for line, row in zip(lines, table.rows(catalog), strict=True):
            read = json.loads(line)
            if table is MEMBERSHIPS:
                assert (read["grid"], read["package"]) == row
            else:
                assert read["id"] == row.id
                assert read["title"] == row.title
                assert datetime.fromisoformat(read["created"]) == row.created


def test_a_catalog_without_records_has_files_too(tmp_path: Path) -> None:
    empty = catalog_of()
    provenance = Provenance(empty.version, STORED, demo=False)
    for table in TABLES:
        write_parquet(table, empty, provenance, tmp_path / "x.parquet")
        assert parquet.read_table(tmp_path / "x.parquet").num_rows == 0
        write_lines(table, empty, tmp_path / "x.zst")
        assert lines_in((tmp_path / "x.zst").read_bytes()) == []
    write_sqlite(empty, provenance, tmp_path / "x.sqlite")
