"""Stores the last good catalog and its history, in a file or on a server, and says which process may crawl."""

from typing import TYPE_CHECKING

from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import HistoryPort, StoragePort, Stored

if TYPE_CHECKING:
    from catalog.storage.valkey_storage import ValkeyStorage

__all__ = [
    "HistoryPort",
    "Storage",
    "StoragePort",
    "Stored",
    "ValkeyStorage",
]


def __getattr__(name: str) -> object:
    """Import the storage on a server when somebody asks for it: it needs a client that others need not install."""
    if name != "ValkeyStorage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from catalog.storage.valkey_storage import ValkeyStorage

    return ValkeyStorage
