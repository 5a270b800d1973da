"""Shows a crawl by hand on a terminal: its progress, and what it found changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from catalog import Catalog, CatalogDifference, CatalogSource, RecordKey
from catalog.sync import CrawlResult
from upstream.client import CATEGORY, GRID, PACKAGE, Record

MAX_SHOWN = 20
"""How many changes of one sort are listed. The others are only counted."""


async def show_sync(source: CatalogSource, *, accept: bool) -> CrawlResult:
    """Crawl, and tell what changed since the stored catalog. The source is open.

    ``accept`` is whether even an implausible catalog is taken.

    :raises CatalogRefused: what was read is implausible.
    :raises UpstreamError: upstream could not be read.
    :raises StorageUnavailable: the stored catalog cannot be read.
    """
    console = Console()
    before = source.crawled
    with _Bars(console) as bars:
        synced = await source.crawl(bars.advance, accept=accept)
    lines = summary(
        None if before is None else before.catalog, synced.snapshot.catalog, synced.changes, synced.kept
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return synced


class _Bars:
    """Shows one bar for each list: records, pages, records a second, and time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("pages {task.fields[pages]}"),
            TextColumn("{task.fields[rate]} a second"),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._pages: Counter[str] = Counter()
        self._begun: dict[str, float] = {}
        self._last = time.monotonic()

    def __enter__(self) -> _Bars:
        self._progress.start()
        self._last = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, plural: str, read: int, count: int) -> None:
        """Note that a page has come."""
        if plural not in self._tasks:
            self._tasks[plural] = self._progress.add_task(plural, pages=0, rate="-", total=count)
            self._begun[plural] = self._last
        self._pages[plural] += 1
        self._last = time.monotonic()
        seconds = self._last - self._begun[plural]
        self._progress.update(
            self._tasks[plural],
            completed=read,
            total=count,
            pages=self._pages[plural],
            rate=f"{read / seconds:,.0f}" if seconds else "-",
        )


def summary(
    before: Catalog | None, catalog: Catalog, changes: CatalogDifference | None, kept: int = 0
) -> list[str]:
    """Return the lines that tell of a new catalog, and what it changed.

    ``kept`` is how many records keep their last good version.
    """
    lines = [
        f"Version {catalog.version}: {len(catalog.packages):,} packages, {len(catalog.grids):,} grids, "
        f"{len(catalog.categories):,} categories."
    ]
    if kept == 1:
        lines.append("1 record could not be read and keeps its last good version.")
    elif kept:
        lines.append(f"{kept:,} records could not be read and keep their last good version.")
    if changes is None or before is None:
        return [*lines, "There was no catalog before."]
    return [*lines, *_told(before, catalog, changes)]


def _told(before: Catalog, after: Catalog, changes: CatalogDifference) -> list[str]:
    if before.version == after.version:
        return ["Nothing has changed."]

    added = [f"{key.kind} {_name(after, key)}" for key in changes.added]
    changed = [
        f"{change.kind} {_name(after, RecordKey(change.kind, change.id))}: {', '.join(change.names)}"
        for change in changes.changed
    ]
    removed = [f"{key.kind} {_name(before, key)}" for key in changes.removed]
    return [*listed("Added", added), *listed("Changed", changed), *listed("Removed", removed)]


def _name(catalog: Catalog, key: RecordKey) -> str:
    records: dict[str, Mapping[int, Record]] = {
        PACKAGE.singular: catalog.packages,
        GRID.singular: catalog.grids,
        CATEGORY.singular: catalog.categories,
    }
    return f"{key.id} {records[key.kind][key.id].slug}"


def listed(what: str, lines: list[str]) -> list[str]:
    """Return what was said of records under a title, the first of many."""
    if not lines:
        return []
    shown = [f"  {line}" for line in lines[:MAX_SHOWN]]
    more = [f"  and {len(lines) - MAX_SHOWN:,} more"] if len(lines) > MAX_SHOWN else []
    return [f"{what}: {len(lines):,}", *shown, *more]
