"""Decides how old a catalog may be: fresh, then served while it is revalidated, then served only while upstream
fails.

The terms are those of HTTP caching (RFC 5861): stale-while-revalidate and stale-if-error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import RefusedCrawl

Stage = Literal["fresh", "stale-while-revalidate", "stale-if-error", "expired"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Holds a catalog, and when upstream was last seen to match it (UTC)."""

    catalog: Catalog
    refreshed_at: datetime
    chosen_by: Literal["pin", "rollback"] | None = None
    """How an operator has chosen it, so that it is served whatever its age; ``None`` for what was crawled last."""
    as_of: datetime | None = None
    """The moment as of which a request is answered from it; ``None`` for one that is answered now."""

    def age(self, now: datetime | None = None) -> float:
        """Return the seconds since it was refreshed, at the moment as of which it is asked."""
        return max(0.0, ((now or self.as_of or datetime.now(UTC)) - self.refreshed_at).total_seconds())

    def is_of_the_future(self) -> bool:
        """Return whether the clock was set back since it was refreshed, so that nobody knows its age."""
        return self.refreshed_at > datetime.now(UTC)


class SnapshotStatus(msgspec.Struct, frozen=True):
    """Holds what a request can know of its catalog. The values are ``None`` if it has none and every record comes
    live."""

    version: str | None
    refreshed_at: datetime | None
    age_seconds: int | None
    stale: bool
    """Whether it is older than the limit of freshness."""
    package_count: int | None
    grid_count: int | None
    category_count: int | None
    syncing: bool
    """Whether a crawl is under way."""
    refused: RefusedCrawl | None = None
    """The last crawl, if the guard has refused it."""
    pinned: bool = False
    """Whether an operator has pinned its version, so that it stays until that is undone."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Holds the limits, in seconds of age."""

    fresh: float
    while_revalidate: float
    if_error: float

    def stage_of(self, snapshot: Snapshot) -> Stage:
        """Return what may be done with a snapshot now."""
        return "fresh" if snapshot.chosen_by is not None else self.stage(snapshot.age())

    def stage(self, age: float) -> Stage:
        """Return what may be done with a catalog of this age."""
        if age <= self.fresh:
            return "fresh"
        if age <= self.while_revalidate:
            return "stale-while-revalidate"
        if age <= self.if_error:
            return "stale-if-error"
        return "expired"
