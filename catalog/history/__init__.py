"""Tells what each new version of the catalog changed, and what the catalog was before."""

from catalog.history.added_and_removed_times import AddedAndRemoved
from catalog.history.catalog_versions import CatalogVersion, Cause, TooManyRebuilds, VersionUnknown
from catalog.history.change_feed import FeedEntry, FeedExcerpt, FeedReplaced
from catalog.history.delta_application import RecordsById, catalog_of, rebuilt, records_of
from catalog.history.record_change_rows import ALL_CHANGES, ChangeFilter, HistoryDamaged, VersionDelta
from catalog.history.record_deltas import ChangeKind, RecordDelta

__all__ = [
    "ALL_CHANGES",
    "AddedAndRemoved",
    "CatalogVersion",
    "Cause",
    "ChangeFilter",
    "ChangeKind",
    "FeedEntry",
    "FeedExcerpt",
    "FeedReplaced",
    "HistoryDamaged",
    "RecordDelta",
    "RecordsById",
    "TooManyRebuilds",
    "VersionDelta",
    "VersionUnknown",
    "catalog_of",
    "rebuilt",
    "records_of",
]
