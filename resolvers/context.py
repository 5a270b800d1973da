"""What every resolver finds in ``info.context``."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from resolvers.loaders import Loaders
from upstream.catalog import Catalog
from upstream.errors import UpstreamError
from upstream.freshness import Status
from upstream.source import Source


@dataclass(slots=True)
class Context:
    """The state of one request. ``status`` is that of the catalog it is answered from."""

    loaders: Loaders
    status: Status
    source: Source
    _catalog: Catalog | UpstreamError | None = None

    async def catalog(self) -> Catalog:
        """The whole catalogue, for what no live request can answer.

        :raises UpstreamError: it is not known yet, or too old.
        """
        if self.loaders.refusal is not None:
            raise self.loaders.refusal
        if self._catalog is None:
            self._catalog = self.loaders.catalog or await self._first_catalog()
        if isinstance(self._catalog, UpstreamError):
            raise self._catalog
        return self._catalog

    async def _first_catalog(self) -> Catalog | UpstreamError:
        try:
            return await self.source.first_catalog()
        except UpstreamError as error:
            return error  # given back, not raised, so that nobody in the request waits for it again

    def renew(self) -> None:
        """Go on with the newest catalog: for a subscription, which answers again and again."""
        snapshot = self.source.sync.snapshot
        self.loaders.close()
        self.loaders = Loaders.over(self.source.batcher, snapshot)
        self.status = self.source.status(snapshot)
        self._catalog = None


Info = strawberry.Info[Context, None]
