"""Writes a table as Parquet, by pyarrow, which is imported when the first such file is made."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from catalog.export.columns import ExportedTable
from catalog.export.provenance import Provenance
from catalog.indexed_catalog import Catalog

ROWS_IN_A_GROUP = 1_000
"""The rows of a row group. They are converted at once, so that other threads get their turn in between."""


def can_write_parquet() -> bool:
    """Return whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


def write_parquet(table: ExportedTable, catalog: Catalog, provenance: Provenance, path: Path) -> None:
    """Write a table of a catalog. Its metadata tell what the file and its columns are.

    :raises OSError: the file cannot be written.
    """
    import pyarrow
    from pyarrow import parquet

    types = {
        "integer": pyarrow.int64(),
        "text": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "moment": pyarrow.timestamp("us", tz="UTC"),
        "integers": pyarrow.list_(pyarrow.int64()),
        "texts": pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema(
        [
            pyarrow.field(
                column.name,
                types[column.type],
                nullable=column.nullable,
                metadata={"meaning": column.meaning, "unit": column.unit, "source": column.source},
            )
            for column in table.columns
        ],
        metadata=provenance.facts | {"table": table.meaning},
    )
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        rows = iter(table.rows(catalog))
        while group := list(islice(rows, ROWS_IN_A_GROUP)):
            arrays = [
                pyarrow.array([column.value(catalog, row) for row in group], types[column.type])
                for column in table.columns
            ]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
