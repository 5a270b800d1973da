"""Loads what happened to records, for one request: all records that are asked for in one turn together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from aiodataloader import DataLoader

from catalog import CatalogSource
from catalog.history import VersionDelta


class HistoryKey(NamedTuple):
    """Names a record, since when its changes are wanted, how many at most, and of which fields by v4's names."""

    kind: str
    id: int
    since: datetime | None
    most: int
    fields: frozenset[str]


class HistoryLoader(DataLoader[HistoryKey, list[VersionDelta]]):
    """Loads the changes of records, oldest first. A load that fails is the error of all that share it."""

    def __init__(self, source: CatalogSource, until: datetime | None) -> None:
        super().__init__()
        self._source = source
        self._until = until
        """When the catalog of the request ends; ``None`` if it is the present one."""

    async def batch_load_fn(self, keys: Sequence[HistoryKey]) -> list[list[VersionDelta]]:
        """Return the batch as aiodataloader calls it."""
        alike: defaultdict[tuple[str, datetime | None, int, frozenset[str]], list[int]] = defaultdict(list)
        for kind, id, since, most, fields in keys:
            alike[kind, since, most, fields].append(id)
        found: dict[HistoryKey, list[VersionDelta]] = {}
        for (kind, since, most, fields), ids in alike.items():
            lists = await self._source.history.changes_of(kind, ids, since, self._until, most, fields)
            for id, changes in zip(ids, lists, strict=True):
                found[HistoryKey(kind, id, since, most, fields)] = changes
        return [found[key] for key in keys]
