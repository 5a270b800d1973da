"""Lists the files that a version of the catalog is exported as, and how each is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from catalog.export.columns import TABLES, ExportedTable
from catalog.export.ndjson_writing import write_lines
from catalog.export.parquet_writing import can_write_parquet, write_parquet
from catalog.export.provenance import Provenance
from catalog.export.sqlite_writing import write_sqlite
from catalog.indexed_catalog import Catalog

NDJSON = "application/x-ndjson"

NO_PARQUET = (
    "This gateway writes no Parquet, because pyarrow is not installed; `make files` installs it. The same tables are "
    "there as .ndjson.zst and in catalog.sqlite."
)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """Describes one file of a version."""

    name: str
    media_type: str
    meaning: str
    write: Callable[[Catalog, Provenance, Path], None]
    """Writes it to a path. Raises ``OSError`` if that cannot be written."""
    compressible: bool
    """Whether it is worth compressing on its way."""


def exported_files() -> list[ExportedFile]:
    """Return the files that this gateway can write."""
    return [each for each in EXPORTED_FILES.values() if can_write_parquet() or not is_parquet(each.name)]


def is_parquet(name: str) -> bool:
    """Return whether a file is one of those that need pyarrow."""
    return name.endswith(".parquet")


def _write_columns(catalog: Catalog, provenance: Provenance, path: Path) -> None:
    """Write what the files are and what their columns mean, as JSON."""
    tables = {
        table.name: {
            "meaning": table.meaning,
            "key": table.key,
            "columns": [
                {
                    "name": column.name,
                    "type": column.type,
                    "unit": column.unit,
                    "nullable": column.nullable,
                    "meaning": column.meaning,
                    "source": column.source,
                }
                for column in table.columns
            ],
        }
        for table in TABLES
    }
    written = msgspec.json.encode(provenance.facts | {"tables": tables})
    path.write_bytes(msgspec.json.format(written, indent=2) + b"\n")


def _of(table: ExportedTable) -> list[ExportedFile]:
    def write_records(catalog: Catalog, _provenance: Provenance, path: Path) -> None:
        write_lines(table, catalog, path)

    return [
        ExportedFile(
            f"{table.name}.parquet",
            "application/vnd.apache.parquet",
            f"{table.meaning} As Apache Parquet.",
            partial(write_parquet, table),
            compressible=False,
        ),
        ExportedFile(
            f"{table.name}.ndjson.zst",
            "application/zstd",
            f"{table.meaning} As lines of JSON with the fields of the REST API, compressed by Zstandard.",
            write_records,
            compressible=False,
        ),
    ]


_ALL = (
    *(each for table in TABLES for each in _of(table)),
    ExportedFile(
        "catalog.sqlite",
        "application/vnd.sqlite3",
        "All tables in one SQLite file.",
        write_sqlite,
        compressible=True,
    ),
    ExportedFile(
        "columns.json",
        "application/json",
        "What the files are, and the types, units and sources of their columns.",
        _write_columns,
        compressible=True,
    ),
)

EXPORTED_FILES: Mapping[str, ExportedFile] = {each.name: each for each in _ALL}
"""All files by name, including those for which this gateway lacks the software."""
