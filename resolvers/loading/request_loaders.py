"""Holds the loaders of one request.

A request sees one catalog from start to end: the one that was served when it began.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from catalog import Catalog, Snapshot
from resolvers.loading.batch_loader import Batches
from resolvers.loading.category_loader import CategoryLoader
from resolvers.loading.known_records import KnownRecords, known_grids, known_packages
from resolvers.loading.record_loaders import RecordLoader
from upstream.batching import Batcher
from upstream.client import (
    GRID,
    PACKAGE,
    GridRecord,
    PackageRecord,
    Record,
    SearchHitRecord,
    UpstreamError,
)


@dataclass(slots=True, eq=False)
class Loaders:
    """Holds one loader for each kind of record. Make them anew for every request, inside the running loop."""

    packages: RecordLoader[PackageRecord]
    grids: RecordLoader[GridRecord]
    categories: CategoryLoader
    catalog: Catalog | None
    as_of: datetime | None
    """The moment as of which the request is answered. Then upstream is not asked, because it knows only the present."""
    _batches: Batches
    _batcher: Batcher
    _searches: dict[str, tuple[SearchHitRecord, ...] | UpstreamError] = field(default_factory=dict)

    @classmethod
    def over(
        cls,
        batcher: Batcher,
        snapshot: Snapshot | None,
        first_catalog: Callable[[], Awaitable[Catalog]] | None = None,
        *,
        may_wait: bool = True,
    ) -> Loaders:
        """Return loaders for a request that is answered from ``snapshot``, and live where that knows nothing, if it may
        wait.

        ``first_catalog`` waits for one where there is none, for keys that upstream cannot be asked for.
        """
        catalog = None if snapshot is None else snapshot.catalog
        as_of = None if snapshot is None else snapshot.as_of
        batches, is_live = Batches(may_wait=may_wait), as_of is None
        packages = RecordLoader(
            PACKAGE,
            batcher,
            batches,
            KnownRecords() if catalog is None else catalog.view(known_packages),
            first_catalog,
            known_packages,
            is_live=is_live,
        )
        grids = RecordLoader(
            GRID,
            batcher,
            batches,
            KnownRecords() if catalog is None else catalog.view(known_grids),
            first_catalog,
            known_grids,
            is_live=is_live,
        )
        categories = CategoryLoader(batcher, batches, catalog, is_live=is_live)
        return cls(packages, grids, categories, catalog, as_of, batches, batcher)

    @property
    def asked_upstream(self) -> bool:
        """Return whether a record was requested that only upstream may have, whether or not it was found."""
        return self._batches.asked_upstream

    async def search(self, query: str) -> tuple[SearchHitRecord, ...]:
        """Return what upstream finds, best first.

        :raises UpstreamError: there is no answer.
        """
        self._batches.ask_upstream()
        found = self._searches.get(query)
        if found is None:
            try:
                found = await self._batcher.search(query)
            except UpstreamError as error:
                found = error
            self._searches[query] = found
        if isinstance(found, UpstreamError):
            raise found
        return found

    def check_may_wait(self) -> None:
        """Check that the request may wait, before something begins that would go on without it, and before the catalog
        alone says that there is nothing, which an answer tells beside its data.

        :raises MustWait: it is to be answered at once.
        """
        self._batches.check_may_wait()

    @property
    def found(self) -> list[Record]:
        """Return the records that upstream has shown and that the catalog lacks, or has by another slug."""
        return self._batches.found

    def close(self) -> None:
        """Cancel all loads, because the client has its answer or has gone."""
        self._batches.end()
