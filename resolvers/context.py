"""What every resolver finds in ``info.context``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import strawberry

from resolvers.loaders import Loaders
from upstream.catalog import Catalog
from upstream.freshness import Status


@dataclass(slots=True)
class Context:
    """The state of one request. ``status`` is that of the catalog it is answered from."""

    loaders: Loaders
    status: Status
    first_catalog: Callable[[], Awaitable[Catalog]]
    """Waits for a catalog where there is none yet."""
    _catalog: Catalog | None = None

    async def catalog(self) -> Catalog:
        """The whole catalogue, for what no live request can answer.

        :raises UpstreamError: it is not known yet.
        """
        if self._catalog is None:
            self._catalog = self.loaders.catalog or await self.first_catalog()
        return self._catalog


Info = strawberry.Info[Context, None]
