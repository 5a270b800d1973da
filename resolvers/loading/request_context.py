"""Holds the state that every resolver finds in ``info.context``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import strawberry

from catalog import Catalog, CatalogSource, Snapshot, SnapshotStatus
from catalog.history import AddedAndRemoved
from engine import TooComplex
from resolvers.client_errors import Forbidden
from resolvers.filters.filter_cache import FiltersOfRequest
from resolvers.loading.history_loader import HistoryLoader
from resolvers.loading.request_loaders import Loaders
from resolvers.work_budget import WorkBudget
from upstream.client import UpstreamError


@dataclass(slots=True)
class EntityBudget:
    """Limits what a request may ask of ``_entities``.

    It has a budget of its own because a router asks for many at once on behalf of one client.
    """

    most: int
    """The most representations of one request, in all its ``_entities``."""
    allowed: bool
    """Whether the request may ask for any: see ``GATEWAY_ROUTER_SECRET``."""
    asked: int = 0

    def spend(self, count: int) -> None:
        """Count ``count`` more representations.

        :raises Forbidden: the request may not ask for any.
        :raises TooComplex: these are more than it may ask for.
        """
        if not self.allowed:
            raise Forbidden(
                "_entities is for the router only, and this request does not have the router's secret."
            )
        self.asked += count
        if self.asked > self.most:
            raise TooComplex(
                f"_entities got {self.asked:,} representations in this request; it can have up to {self.most:,}.",
                "entities",
                self.most,
                self.asked,
            )


@dataclass(slots=True)
class Context:
    """Holds the state of one request, which is answered from ``snapshot``."""

    loaders: Loaders
    snapshot: Snapshot | None
    source: CatalogSource
    entities: EntityBudget
    work: WorkBudget
    filters: FiltersOfRequest = field(default_factory=FiltersOfRequest)
    _catalog: Catalog | UpstreamError | None = None
    _status: SnapshotStatus | None = None
    _history: HistoryLoader | None = None
    _added_and_removed: AddedAndRemoved | None = None

    @property
    def as_of(self) -> datetime | None:
        """Return the moment that the request asks about; ``None`` if that is now."""
        return None if self.snapshot is None else self.snapshot.as_of

    @property
    def history(self) -> HistoryLoader:
        """Return the loader of what happened to records. It is made at the first call, because few ask for it."""
        self.loaders.check_may_wait()
        if self._history is None:
            self._history = HistoryLoader(self.source, self.as_of)
        return self._history

    @property
    def added_and_removed(self) -> AddedAndRemoved:
        """Return when packages were added and removed, up to the moment that the request asks about."""
        if self._added_and_removed is None:
            known = self.source.history.added_and_removed
            self._added_and_removed = known if self.as_of is None else known.until(self.as_of)
        return self._added_and_removed

    @property
    def status(self) -> SnapshotStatus:
        """Return the state of the catalog that the request is answered from. It is computed at the first call,
        because few ask for it."""
        if self._status is None:
            self._status = self.source.status(self.snapshot)
        return self._status

    async def catalog(self) -> Catalog:
        """Return the whole catalog, for fields that no live request can answer.

        :raises UpstreamError: it is not known yet, or too old.
        """
        if self._catalog is None:
            self._catalog = self.loaders.catalog or await self._first_catalog()
        if isinstance(self._catalog, UpstreamError):
            raise self._catalog
        return self._catalog

    async def _first_catalog(self) -> Catalog | UpstreamError:
        try:
            return await self.source.first_catalog()
        except UpstreamError as error:
            return error  # It is returned and not raised, so that no field of the request waits for it again.

    def renew(self) -> None:
        """Continue with the newest catalog. This is for a subscription, which answers many times."""
        self.snapshot = self.source.latest
        self.loaders.close()
        self.loaders = Loaders(self.source.batcher, self.snapshot, self.source.first_catalog)
        self._status = None
        self._catalog = None
        self._history = self._added_and_removed = None
        self.work = WorkBudget(self.work.most)
        self.filters = FiltersOfRequest()


Info = strawberry.Info[Context, None]
