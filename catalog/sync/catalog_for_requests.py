"""Decides which catalog a request is answered from, and waits for a crawl where one may help."""

from __future__ import annotations

import time
from datetime import datetime

from catalog.freshness import Freshness, Snapshot, Stage
from catalog.indexed_catalog import Catalog
from catalog.sync.missing_catalog import no_catalog
from catalog.sync.publisher import Publisher
from catalog.sync.refresher import Refresher
from upstream.client import note_waiting


class CatalogForRequests:
    """Chooses the catalog for a request by its age.

    ``follow`` is whether this process crawls by itself. ``crawl_wait`` is the seconds that a request waits for a crawl
    when there is no catalog, or it is too old to be served before a crawl was tried.
    """

    def __init__(
        self,
        publisher: Publisher,
        refresher: Refresher,
        freshness: Freshness,
        *,
        follow: bool,
        crawl_wait: float,
    ) -> None:
        self._publisher = publisher
        self._refresher = refresher
        self._freshness = freshness
        self._follow = follow
        self._crawl_wait = crawl_wait
        self._waited_for: datetime | None = None
        """When the catalog was refreshed whose successor a request last waited for, whether or not it came."""
        self._fresh: Snapshot | None = None
        self._fresh_until = 0.0

    def current(self) -> Snapshot | None:
        """Return the catalog that a request may be answered from at once.

        It is ``None`` if there is none or it is too old. :meth:`refreshed` may then return one after a wait.
        """
        snapshot = self._publisher.served
        if snapshot is None:
            return None
        if snapshot is self._fresh and time.monotonic() < self._fresh_until:
            return snapshot
        stage = self._freshness.stage_of(snapshot)
        if stage == "fresh":
            # Every request asks for this, so the result is cached for the next one.
            left = self._freshness.fresh - snapshot.age()
            self._fresh, self._fresh_until = snapshot, time.monotonic() + left
            return snapshot
        if stage == "stale-while-revalidate":
            if self._follow:
                self._refresher.wanted.set()
            return snapshot
        return None if stage == "expired" or self._must_be_revalidated(snapshot, stage) else snapshot

    async def refreshed(self) -> Snapshot | None:
        """Return the catalog for a request to which :meth:`current` gave none, after a wait where a crawl may help.

        It is ``None`` if there is none, or only one that is too old. Upstream must then be asked.
        """
        snapshot = self._publisher.served
        if snapshot is None:
            return None
        stage = self._freshness.stage_of(snapshot)
        if self._must_be_revalidated(snapshot, stage):
            note_waiting()
            await self._refresher.settled(self._crawl_wait)
            self._waited_for = snapshot.refreshed_at
            snapshot = self._publisher.served or snapshot
            stage = self._freshness.stage_of(snapshot)
        return None if stage == "expired" else snapshot

    async def first(self) -> Catalog:
        """Return the catalog, for a request that began when there was none and that needs one.

        It waits for the first crawl, as long as a request waits for any, but not for one after that has failed.

        :raises UpstreamUnavailable: there is none yet, or it is too old to be served.
        """
        if self._publisher.served is None and self._follow and self._refresher.last_error is None:
            note_waiting()
            await self._refresher.settled(self._crawl_wait)
        snapshot = self._publisher.served
        if snapshot is not None and self._freshness.stage_of(snapshot) != "expired":
            return snapshot.catalog
        raise no_catalog(snapshot, self._refresher.last_error, self._follow, self._refresher.progress)

    def _must_be_revalidated(self, snapshot: Snapshot, stage: Stage) -> bool:
        """Return whether a crawl may replace a snapshot that is too old to be served before one was tried."""
        # If another process crawls, this one does not learn of failures, so requests wait once for each catalog.
        return (
            stage in ("stale-if-error", "expired")
            and self._follow
            and self._refresher.last_error is None
            and self._waited_for != snapshot.refreshed_at
        )
