"""Describes a crawl that the guard refused, by a summary that every process shows and by its difference.

The guard (``catalog.sync.crawl_guard``) makes both, and they are stored beside the catalog that stays.
"""

from __future__ import annotations

import msgspec

from catalog.catalog_difference import CatalogDifference, RecordKey
from catalog.indexed_catalog import Catalog
from upstream.client import CATEGORY, GRID, PACKAGE, CategoryRecord, GridRecord, Moment, PackageRecord


class Finding(msgspec.Struct, frozen=True):
    """Says what one validator found wrong: how many, and of how many. ``name`` says what is counted, and
    ``sentence`` says everything."""

    name: str
    number: int
    of: int
    sentence: str


class RefusedCrawl(msgspec.Struct, frozen=True):
    """Summarises a crawl that was refused."""

    at: Moment
    """When it ended (UTC)."""
    reason: str
    """What is wrong, as sentences."""
    findings: tuple[Finding, ...]
    known: int
    """How many packages were known."""
    read: int
    """How many it read."""
    added: int
    """Records that it would add; the two below change and remove."""
    changed: int
    removed: int
    agreed_seconds: float
    """The seconds for which crawls had agreed on it then. It is no time of day, because the clock can be set
    meanwhile, and the time while no process runs does not count."""
    is_whole: bool
    """Whether the crawl came to its end, so that an operator can accept what it read."""


class RefusedDifference(msgspec.Struct, frozen=True):
    """Holds the changes that turn the known catalog into the refused one."""

    removed: tuple[RecordKey, ...] = ()
    packages: tuple[PackageRecord, ...] = ()
    """The packages that are added or changed; the two below are the same of grids and categories."""
    grids: tuple[GridRecord, ...] = ()
    categories: tuple[CategoryRecord, ...] = ()

    def applied_to(self, known: Catalog | None) -> Catalog:
        """Return the catalog that was refused. It takes as long as a build."""
        before = known or Catalog.build((), (), ())
        gone = set(self.removed)
        return Catalog.build(
            [
                *(each for id, each in before.packages.items() if (PACKAGE.singular, id) not in gone),
                *self.packages,
            ],
            [*(each for id, each in before.grids.items() if (GRID.singular, id) not in gone), *self.grids],
            [
                *(each for id, each in before.categories.items() if (CATEGORY.singular, id) not in gone),
                *self.categories,
            ],
        )


class GuardState(msgspec.Struct, frozen=True):
    """Holds what the guard remembers from one process to the next."""

    refused: RefusedCrawl | None = None
    """The last crawl, if it was refused."""
    tolerated: tuple[Finding, ...] = ()
    """What has been accepted and is still so in each crawl, such as a slug that two packages share."""


def difference_between(after: Catalog, difference: CatalogDifference | None) -> RefusedDifference:
    """Return the changes that lead to ``after``, from the catalog at which ``difference`` begins, or else from none."""
    if difference is None:
        return RefusedDifference(
            (), tuple(after.packages.values()), tuple(after.grids.values()), tuple(after.categories.values())
        )
    written = {*difference.added, *(RecordKey(change.kind, change.id) for change in difference.changed)}
    return RefusedDifference(
        difference.removed,
        tuple(after.packages[id] for kind, id in written if kind == PACKAGE.singular),
        tuple(after.grids[id] for kind, id in written if kind == GRID.singular),
        tuple(after.categories[id] for kind, id in written if kind == CATEGORY.singular),
    )
