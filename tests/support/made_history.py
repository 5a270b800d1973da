"""Makes a history without a file, in which every second package gained a star and one package is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from catalog.history import ALL_CHANGES, CatalogVersion, ChangeFilter, ChangeKind, VersionDelta
from catalog.history.record_deltas import RecordDelta
from catalog.storage.storage_port import StoragePort
from upstream.client import PackageRecord, Record

BEGUN = datetime(2025, 6, 1, tzinfo=UTC)
GREW = datetime(2025, 12, 1, tzinfo=UTC)
GONE = 9999


class MadeHistory:
    """Tells of two versions: the first one, and one in which stars grew and a package went."""

    def __init__(self, records: list[Record]) -> None:
        packages = [record for record in records if isinstance(record, PackageRecord)]
        self._grown = {package.id: package.repo_watchers for package in packages if package.id % 2}
        self._gone = msgspec.to_builtins(packages[0]) | {"id": GONE, "slug": "gone"} if packages else {}

    def versions(self, limit: int, before: int | None = None) -> list[CatalogVersion]:
        return [_version(2, GREW), _version(1, BEGUN)][:limit]

    def oldest(self) -> CatalogVersion | None:
        return _version(1, BEGUN)

    def at(self, moment: datetime) -> CatalogVersion:
        return _version(1, BEGUN) if moment < GREW else _version(2, GREW)

    def difference(self, one: int, other: int) -> list[RecordDelta]:
        return [] if one == other else [self._growth(id) for id in self._grown]

    def changes_of(self, kind: str, id: int, wanted: ChangeFilter = ALL_CHANGES) -> list[VersionDelta]:
        since, until, most, fields = wanted
        grew = kind == "package" and id in self._grown and (fields is None or "repo_watchers" in fields)
        is_within = (since is None or since < GREW) and (until is None or until >= GREW)
        return [VersionDelta(2, GREW, self._growth(id))] if grew and is_within and most != 0 else []

    def moves(self, kind: str) -> list[tuple[int, ChangeKind, datetime]]:
        return [(GONE, "removed", GREW)]

    def arrivals_and_departures(self, kind: str, since: datetime | None = None) -> list[VersionDelta]:
        if not self._gone:
            return []
        return [VersionDelta(2, GREW, RecordDelta("removed", kind, GONE, self._gone, {}))]

    def as_storage(self) -> StoragePort:
        """Return an object that does what the reader of a history asks of a storage."""
        return cast(StoragePort, _Storage(self))

    def _growth(self, id: int) -> RecordDelta:
        stars = self._grown[id]
        return RecordDelta("changed", "package", id, {"repo_watchers": stars - 1}, {"repo_watchers": stars})


class _Storage:
    def __init__(self, history: Any) -> None:
        self.history = history


def _version(number: int, at: datetime) -> CatalogVersion:
    return CatalogVersion(number, f"{number}" * 32, at, at, "crawl", {}, {}, {})
