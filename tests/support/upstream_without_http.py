"""Provides a source of made records without HTTP: some known, some to be asked for, some of which fail."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from random import Random
from typing import Any, cast

from msgspec.structs import replace

from catalog.catalog_difference import FieldDifference
from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot, SnapshotStatus
from catalog.history.change_feed import FeedEntry, FeedExcerpt, RecordChange
from catalog.indexed_catalog import Catalog
from catalog.sync.history_reader import HistoryReader
from tests.support.made_history import MadeHistory
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.settings_for_tests import SETTINGS
from upstream.client.upstream_errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from upstream.client.v4_records import (
    BadRecord,
    CategoryRecord,
    GridRecord,
    Kind,
    PackageRecord,
    Page,
    Record,
    SearchHitRecord,
)

_ZONES = (
    UTC,
    timezone(timedelta(hours=-5)),
    timezone(timedelta(hours=5, minutes=30)),
    timezone(timedelta(0)),
)
_TITLES = ("django", "Email", "émail ☃", 'a "quoted" \\ one', "line\nbreak\ttab\x01", "🎉", "", "</script>")
PACKAGES, GRIDS, CATEGORIES = range(1, 41), range(1, 13), range(1, 5)
MISSING_GRID, MISSING_PACKAGE, BAD_PACKAGE = 77, 99, 98


def made_records(seed: int = 1) -> list[Record]:
    """Packages, grids and categories that name each other, and some that there are not."""
    draws = Random(seed)

    def moment() -> datetime:
        micro = draws.choice([0, 0, 0, 7, 120_000])
        made = datetime(2010, 1, 1, tzinfo=draws.choice(_ZONES))
        return made + timedelta(seconds=draws.randrange(500_000_000), microseconds=micro)

    grids = {id: draws.sample(PACKAGES, draws.choice([0, 1, 3, 10])) for id in GRIDS}
    grids[2] += [MISSING_PACKAGE]
    grids[3] += [MISSING_PACKAGE, BAD_PACKAGE]
    records: list[Record] = [
        grid(
            id,
            title=draws.choice(_TITLES),
            description=draws.choice(_TITLES),
            is_locked=draws.random() < 0.5,
            created=moment(),
            packages=tuple(members),
        )
        for id, members in grids.items()
    ]
    records += [category(id, title=draws.choice(_TITLES), slug=f"category-{id % 3}") for id in CATEGORIES]
    for id in PACKAGES:
        theirs = [grid_id for grid_id, members in grids.items() if id in members]
        records.append(
            package(
                id,
                title=draws.choice(_TITLES),
                last_updated=draws.choice([None, moment()]),
                created=moment(),
                pypi_version=draws.choice([None, "", "1.0"]),
                repo_watchers=draws.choice([0, 7, 2**31 - 1]),
                commits_over_52=draws.choice([None, (), (1, 2, 3)]),
                participants=draws.choice([(), ("a", "b"), ("ü", '"')]),
                category=draws.choice(CATEGORIES),
                grids=(*theirs, MISSING_GRID) if id == 5 else tuple(theirs),
            )
        )
    return records


def whole_records() -> list[Record]:
    """Return the same without naming a record that there is not, so that a catalog of them knows all relations."""
    return [
        replace(record, packages=tuple(id for id in record.packages if id in PACKAGES))
        if isinstance(record, GridRecord)
        else replace(record, grids=tuple(id for id in record.grids if id in GRIDS))
        if isinstance(record, PackageRecord)
        else record
        for record in made_records()
    ]


class MadeUpstream:
    """In the batcher's place. ``asked`` are the keys of its pending loads in order, ``batches`` how they came
    together."""

    def __init__(self, records: Sequence[Record], failing: dict[tuple[str, int], UpstreamError]) -> None:
        self._records: dict[str, Sequence[Record]] = {
            "package": [record for record in records if isinstance(record, PackageRecord)],
            "grid": [record for record in records if isinstance(record, GridRecord)],
            "category": [record for record in records if isinstance(record, CategoryRecord)],
        }
        self._failing = failing
        self._searches: dict[str, asyncio.Future[None]] = {}
        self.asked: list[tuple[str, object]] = []
        self.batches: list[tuple[str, list[object]]] = []

    def remembered(self, kind: Kind[Any], key: object) -> None:
        """Remember nothing: every request asks for all that its catalog lacks."""

    def remembered_page(self, kind: Kind[Any], window: object) -> None:
        """Remember no page either."""

    async def fetch(
        self, kind: Kind[Any], keys: Sequence[Any], *, asked: float = 0, doubtful: Container[Any] = ()
    ) -> dict[Any, Any]:
        """Return for each id or slug its record, None, or an error."""
        self.asked += [(kind.singular, key) for key in keys]
        self.batches.append((kind.singular, list(keys)))
        await asyncio.sleep(0)
        found: dict[Any, Any] = dict.fromkeys(keys)
        for record in self._records[kind.singular]:
            for key in (record.id, record.slug):
                if key in found:
                    found[key] = self._failing.get((kind.singular, record.id), record)
        if BAD_PACKAGE in found:
            found[BAD_PACKAGE] = UpstreamUnavailable("Upstream's package 98 does not fit.")
        return found

    async def page(self, kind: Kind[Any], *, limit: int, offset: int, asked: float = 0) -> Page[Any]:
        """Return a page, newest first."""
        self.asked.append((kind.plural, (limit, offset)))
        await asyncio.sleep(0)
        if (kind.plural, 0) in self._failing:
            raise self._failing[kind.plural, 0]
        records = sorted(self._records[kind.singular], key=lambda record: record.id, reverse=True)
        results: list[Any] = records[offset : offset + limit]
        for place, record in enumerate(results):
            if (kind.singular, record.id) in self._failing:
                results[place] = BadRecord(kind.singular, record.id, "made so")
        return Page(count=len(records), next=None, previous=None, results=tuple(results))

    async def search(self, query: str) -> tuple[SearchHitRecord, ...]:
        """Some records, and one that is gone. Who asks at the same time shares a pending load."""
        running = self._searches.get(query)
        if running is None:
            self.asked.append(("search", query))
            running = self._searches[query] = asyncio.ensure_future(asyncio.sleep(0))
        await running
        self._searches.pop(query, None)
        if ("search", 0) in self._failing:
            raise self._failing["search", 0]
        return tuple(
            _hit(kind, slug)
            for kind, slug in [("package", "slug-3"), ("grid", "grid-2"), ("package", "gone")]
        )


def _hit(kind: Any, slug: str) -> SearchHitRecord:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    texts: Any = dict.fromkeys(
        ("description", "title_no_prefix", "slug_no_prefix", "clean_title", "category", "participants"),
        "text",
    )
    numbers: Any = dict.fromkeys(
        ("weight", "repo_watchers", "repo_forks", "pypi_downloads", "score", "usage"), 5
    )
    return SearchHitRecord(
        **texts,
        **numbers,
        title=slug.upper(),
        absolute_url=f"/{kind}s/{slug}/",
        created=moment,
        modified=moment,
        item_type=kind,
        slug=slug,
        last_committed=None,
        last_released=moment,
    )


@lru_cache(maxsize=16)
def _snapshot(records: tuple[Record, ...]) -> Snapshot:
    return Snapshot(catalog_of(*records), datetime(2026, 1, 1, tzinfo=UTC))


async def _changes(after: int, limit: int) -> FeedExcerpt:
    """Return a feed of three changes."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fields = (FieldDifference("repo_watchers", 1, 2), FieldDifference("grids", [1], None))
    changes = [
        RecordChange("added", "package", 1, "slug-1", "1 v", at),
        RecordChange("changed", "grid", 2, "grid-2", "1 v", at, fields),
        RecordChange("removed", "package", MISSING_PACKAGE, "gone", "2 v", at),
    ]
    entries = tuple(FeedEntry("feed", place, change) for place, change in enumerate(changes, 1))[after:]
    shown = entries[:limit]
    return FeedExcerpt("feed", shown, len(entries) - len(shown), after, 0, after + len(shown), 3)


class MadeSource:
    """In the source's place. ``known`` is the share of the records that the catalog has, or None for no catalog."""

    def __init__(
        self, records: Sequence[Record], *, known: float | None = 1, failing: float = 0, seed: int = 1
    ) -> None:
        draws = Random(seed)
        errors: dict[tuple[str, int], UpstreamError] = {
            (type(record).__name__.removesuffix("Record").lower(), record.id): draws.choice(
                [
                    UpstreamTimeout("Upstream took too long."),
                    UpstreamUnavailable("Upstream is away.", retry_after=3),
                ]
            )
            for record in records
            if draws.random() < failing
        }
        for key in (("categories", 0), ("search", 0)):
            if draws.random() < failing:
                errors[key] = UpstreamUnavailable(f"Upstream has no {key[0]}.")
        self.batcher = MadeUpstream(records, errors)
        self._snapshot: Snapshot | None = None
        if known is not None:
            self._snapshot = _snapshot(tuple(record for record in records if draws.random() < known))
        self.latest = self._snapshot
        self.changes = _changes
        self.embedded = True
        self.search_wait = SETTINGS.search_wait
        self.history = HistoryReader(MadeHistory(list(records)).as_storage())

    def become(self, other: MadeSource) -> None:
        """Go on as another source."""
        self.batcher, self.latest, self._snapshot = other.batcher, other.latest, other._snapshot
        self.history = other.history

    def publish(self, records: Sequence[Record]) -> None:
        """Have a new catalog of these records."""
        self.latest = self._snapshot = Snapshot(catalog_of(*records), datetime(2026, 1, 1, tzinfo=UTC))

    async def newest_change(self) -> FeedExcerpt:
        """Return the end of the feed."""
        return await _changes(0, 0)

    async def first_catalog(self) -> Catalog:
        """There is none."""
        await asyncio.sleep(0)
        raise UpstreamUnavailable("There is no catalog.")

    def current(self) -> Snapshot | None:
        """Return the same catalog: it is never too old."""
        return self._snapshot

    @property
    def upstream_answers(self) -> bool:
        """Return whether it does: it always does."""
        return True

    async def take(self, found: Sequence[Record]) -> Snapshot | None:
        """Take nothing: nobody follows."""
        return None

    async def refreshed(self) -> Snapshot | None:
        """Return the catalog."""
        return self._snapshot

    def status(self, snapshot: Snapshot | None) -> SnapshotStatus:
        """Return the same always."""
        if snapshot is None:
            return SnapshotStatus(None, None, None, False, None, None, None, False)
        return SnapshotStatus(snapshot.catalog.version, snapshot.refreshed_at, 5, True, 40, 12, 4, False)

    def as_source(self) -> CatalogSource:
        """Return an object that does what a gateway asks of a source."""
        return cast(CatalogSource, self)
