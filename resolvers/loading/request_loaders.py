"""Holds the loaders of one request.

A request sees one catalog from start to end: the one that was served when it began.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property

from catalog import Catalog, Snapshot
from resolvers.loading.batch_loader import Batches
from resolvers.loading.catalog_records import KnownRecords, known_grids, known_packages
from resolvers.loading.category_loader import CategoryLoader
from resolvers.loading.record_loaders import RecordLoader
from upstream.batching import Batcher
from upstream.client import (
    GRID,
    PACKAGE,
    GridRecord,
    Kind,
    R,
    Record,
    SearchHitRecord,
    UpstreamError,
)


class Loaders:
    """Holds one loader for each kind of record. Make them anew for every request, inside the running loop.

    The request is answered from ``snapshot``, and live where that knows nothing, if it may wait. ``first_catalog``
    waits for one where there is none, for keys that upstream cannot be asked for.
    """

    def __init__(
        self,
        batcher: Batcher,
        snapshot: Snapshot | None,
        first_catalog: Callable[[], Awaitable[Catalog]] | None = None,
        *,
        may_wait: bool = True,
    ) -> None:
        self.catalog = None if snapshot is None else snapshot.catalog
        self.as_of = None if snapshot is None else snapshot.as_of
        """The moment as of which the request is answered. Then upstream is not asked, because it knows only the
        present."""
        self._batcher = batcher
        self._first_catalog = first_catalog
        self._batches = Batches(may_wait=may_wait)
        self._searches: dict[str, tuple[SearchHitRecord, ...] | UpstreamError] = {}
        self.packages = self._of_records(PACKAGE, known_packages)

    # These are made when needed, because most requests find what they need of them in subtrees.

    @cached_property
    def grids(self) -> RecordLoader[GridRecord]:
        """Return the loader of grids."""
        return self._of_records(GRID, known_grids)

    @cached_property
    def categories(self) -> CategoryLoader:
        """Return the loader of categories."""
        return CategoryLoader(self._batcher, self._batches, self.catalog, is_live=self.as_of is None)

    def _of_records(self, kind: Kind[R], known_of: Callable[[Catalog], KnownRecords[R]]) -> RecordLoader[R]:
        return RecordLoader(
            kind,
            self._batcher,
            self._batches,
            KnownRecords() if self.catalog is None else self.catalog.view(known_of),
            self._first_catalog,
            known_of,
            is_live=self.as_of is None,
        )

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
        """Check that the request may wait. This comes before work begins that would continue without it, and before
        the catalog alone decides that there is nothing, because the answer then says so beside its data.

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
