"""Exports versions of the catalog as files: Parquet, lines of JSON and SQLite, made once each and bounded on disk."""

from catalog.export.catalog_files import CannotWriteParquet, CatalogFiles, NoSuchFile, TooManyFiles
from catalog.export.columns import TABLES, ExportedColumn, ExportedTable
from catalog.export.exported_files import EXPORTED_FILES, NDJSON, ExportedFile, exported_files
from catalog.export.file_folder import FileFolder, FilesUnavailable, OpenedFile
from catalog.export.provenance import ATTRIBUTION, DEMO, Provenance

__all__ = [
    "ATTRIBUTION",
    "DEMO",
    "EXPORTED_FILES",
    "NDJSON",
    "TABLES",
    "CannotWriteParquet",
    "CatalogFiles",
    "ExportedColumn",
    "ExportedFile",
    "ExportedTable",
    "FileFolder",
    "FilesUnavailable",
    "NoSuchFile",
    "OpenedFile",
    "Provenance",
    "TooManyFiles",
    "exported_files",
]
