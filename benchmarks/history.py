"""Measures a year of history: bytes in the file, seconds for a save, and seconds to rebuild the oldest version.

    python -m benchmarks.history                     a year of hourly crawls, in about two minutes
    python -m benchmarks.history --days 30

The catalog has 5,400 packages. Each day 1,000 star counts change and two packages are added, spread over the crawls.
With ``--all`` every package is also fetched anew each night, as Django Packages does: one more field of each changes.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles

import msgspec

from benchmarks.made_records import made_categories, made_grids, made_packages
from catalog.catalog_difference import CatalogDifference, ChangedRecord, FieldDifference, RecordKey
from catalog.history import rebuilt, records_of
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from upstream.client import PACKAGE, PackageRecord

PACKAGES = 5_400
STARS_A_DAY = 1_000
NEW_A_DAY = 2
CRAWLS_A_DAY = 24
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Churn:
    """Makes a catalog whose packages change as those of Django Packages do."""

    def __init__(self, *, nightly: bool) -> None:
        self.packages = {package.id: package for package in made_packages(PACKAGES)}
        self.grids, self.categories = tuple(made_grids(PACKAGES)), tuple(made_categories())
        self.version = self.catalog().version
        self._nightly = nightly
        self._draw = Random(1)
        self._crawls = 0

    def catalog(self) -> Catalog:
        """Return the catalog as it is."""
        return Catalog.build(self.packages.values(), self.grids, self.categories)

    def crawl(self, at: datetime) -> CatalogDifference:
        """Change what an hour changes, and return the difference."""
        self._crawls += 1
        changed: dict[int, dict[str, object]] = {}
        for id in self._draw.sample(list(self.packages), round(STARS_A_DAY / CRAWLS_A_DAY)):
            changed[id] = {"repo_watchers": self.packages[id].repo_watchers + self._draw.choice((-1, 1, 2))}
        if self._nightly and self._crawls % CRAWLS_A_DAY == 0:
            for id in self.packages:
                changed.setdefault(id, {})["last_fetched"] = at
        added = [max(self.packages) + 1] if self._crawls % (CRAWLS_A_DAY // NEW_A_DAY) == 0 else []
        records = tuple(self._changed(id, fields) for id, fields in sorted(changed.items()))
        for id in added:
            copied = self.packages[self._draw.randrange(1, PACKAGES)]
            self.packages[id] = msgspec.structs.replace(copied, id=id, slug=f"django-package-{id}")
        before, self.version = self.version, f"{self._crawls:032x}"
        keys = tuple(RecordKey(PACKAGE.singular, id) for id in added)
        return CatalogDifference(before, self.version, keys, records, ())

    def _changed(self, id: int, fields: dict[str, object]) -> ChangedRecord:
        old: PackageRecord = self.packages[id]
        new = self.packages[id] = msgspec.structs.replace(old, **fields)
        differences = tuple(
            FieldDifference(
                name, msgspec.to_builtins(getattr(old, name)), msgspec.to_builtins(getattr(new, name))
            )
            for name in fields
        )
        return ChangedRecord(PACKAGE.singular, id, differences)


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description="What a year of history takes.")
    parser.add_argument("--days", type=int, default=365, help="how many days to crawl (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="let one field of every package change each night")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(_measured(Path(folder) / "catalog.sqlite", options.days, nightly=options.all))


def _measured(path: Path, days: int, *, nightly: bool) -> str:
    moment = BEGIN
    churn = Churn(nightly=nightly)
    with closing(Storage(str(path), history_days=365, now=lambda: moment)) as storage:
        _save(storage, churn, moment, None)
        bare, oldest = _size(path), storage.history.versions(limit=1)[0]
        seconds: list[float] = []
        for _ in range(days * CRAWLS_A_DAY):
            moment += timedelta(hours=24 / CRAWLS_A_DAY)
            difference = churn.crawl(moment)
            begun = time.perf_counter()
            _save(storage, churn, moment, difference)
            seconds.append(time.perf_counter() - begun)
        catalog = churn.catalog()
        begun = time.perf_counter()
        way = storage.history.way_back(oldest)
        read = time.perf_counter()
        rebuilt(records_of(catalog), way.deltas, oldest)
        done = time.perf_counter()
        history = storage.history.changes_of(PACKAGE.singular, 1)
        asked = time.perf_counter() - done
        rows = storage.history.versions(limit=days * CRAWLS_A_DAY + 9)
    slowest = quantiles(seconds, n=100)[98]
    return (
        f"{days} days, {len(rows):,} versions: the file has {_size(path) / 1e6:,.1f} MB, "
        f"{bare / 1e6:,.1f} MB of them without history.\n"
        f"A save takes {median(seconds) * 1000:.1f} ms (median), {slowest * 1000:.1f} ms (99 of 100), "
        f"{max(seconds) * 1000:.0f} ms (slowest).\n"
        f"The oldest version is read in {read - begun:.2f} s and rebuilt in {done - read:.2f} s; "
        f"the {len(history)} changes of one package are read in {asked * 1000:.1f} ms.\n"
    )


def _save(storage: Storage, churn: Churn, at: datetime, difference: CatalogDifference | None) -> None:
    storage.save(
        version=f"embedded {churn.version}",
        refreshed_at=at,
        packages=churn.packages.values(),
        grids=churn.grids,
        categories=churn.categories,
        difference=difference,
    )


def _size(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


if __name__ == "__main__":
    main()
