"""Loads what happened to records, for one request: all records that are asked for in one turn together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from aiodataloader import DataLoader

from catalog import CatalogSource
from catalog.history import ChangeFilter, VersionDelta


class HistoryKey(NamedTuple):
    """Names a record, and which of its changes are wanted: those until the end of the request's catalog."""

    kind: str
    id: int
    wanted: ChangeFilter


class HistoryLoader(DataLoader[HistoryKey, list[VersionDelta]]):
    """Loads the changes of records, oldest first. A load that fails is the error of all that share it."""

    def __init__(self, source: CatalogSource, until: datetime | None) -> None:
        super().__init__()
        self._source = source
        self._until = until
        """When the catalog of the request ends; ``None`` if it is the present one."""

    async def batch_load_fn(self, keys: Sequence[HistoryKey]) -> list[list[VersionDelta]]:
        """Return the batch as aiodataloader calls it."""
        alike: defaultdict[tuple[str, ChangeFilter], list[int]] = defaultdict(list)
        for kind, id, wanted in keys:
            alike[kind, wanted].append(id)
        found: dict[HistoryKey, list[VersionDelta]] = {}
        for (kind, wanted), ids in alike.items():
            up_to_its_end = wanted._replace(until=self._until)
            lists = await self._source.history.changes_of(kind, ids, up_to_its_end)
            for id, changes in zip(ids, lists, strict=True):
                found[HistoryKey(kind, id, wanted)] = changes
        return [found[key] for key in keys]
