"""Stores the last good catalog and its history on disk, and says which process may crawl."""

from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import HistoryPort, StoragePort, Stored

__all__ = [
    "HistoryPort",
    "Storage",
    "StoragePort",
    "Stored",
]
