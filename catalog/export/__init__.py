"""Exports versions of the catalog as files: Parquet, lines of JSON and SQLite, made once each and bounded on disk."""

from catalog.export.columns import TABLES, ExportedColumn, ExportedTable
from catalog.export.export_file_kinds import EXPORTED_FILES, NDJSON, ExportedFile, exported_files
from catalog.export.export_folder import FileFolder, FilesUnavailable, OpenedFile
from catalog.export.on_demand_export import CannotWriteParquet, NoSuchFile, OnDemandExport, TooManyFiles
from catalog.export.provenance import ATTRIBUTION, DEMO, Provenance

__all__ = [
    "ATTRIBUTION",
    "DEMO",
    "EXPORTED_FILES",
    "NDJSON",
    "TABLES",
    "CannotWriteParquet",
    "ExportedColumn",
    "ExportedFile",
    "ExportedTable",
    "FileFolder",
    "FilesUnavailable",
    "NoSuchFile",
    "OnDemandExport",
    "OpenedFile",
    "Provenance",
    "TooManyFiles",
    "exported_files",
]
