"""Declares the type CatalogStatus: how much the gateway knows, and how old that is."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine import DependsOn, depends_on
from resolvers import catalog_origin
from resolvers.catalog_changes import changes_cursor
from resolvers.record_history import history_since


@strawberry.type(
    name="RefusedCrawl",
    description="A crawl of Django Packages that was not published, because its catalog is implausible.",
)
class Refusal:
    """Is resolved from :class:`catalog.refused_crawls.RefusedCrawl`."""

    at: datetime = strawberry.field(description="When the crawl ended.")
    reason: str = strawberry.field(description="What is implausible, in whole sentences with the numbers.")
    removed: int = strawberry.field(
        description="The number of packages, grids and categories that it would remove."
    )
    changed: int = strawberry.field(description="The number of them that it would change.")


@strawberry.type(
    description=(
        "The gateway's catalog behind this answer. Most fields are null while there is no catalog and every "
        "record is requested live."
    )
)
class CatalogStatus:
    """Is resolved from :class:`catalog.freshness.SnapshotStatus`."""

    version: str | None = strawberry.field(
        description="A hash of the content. Two gateways with the same version have the same records."
    )
    refreshed_at: datetime | None = strawberry.field(
        description="When the gateway last confirmed that Django Packages has this content."
    )
    age_seconds: int | None = strawberry.field(description="The number of seconds since `refreshedAt`.")
    stale: bool = strawberry.field(
        description="Whether the catalog is older than its limit, because it could not be refreshed yet."
    )
    package_count: int | None = strawberry.field(description="The number of packages in the catalog.")
    grid_count: int | None = strawberry.field(description="The number of grids in the catalog.")
    category_count: int | None = strawberry.field(description="The number of categories in the catalog.")
    syncing: bool = strawberry.field(description="Whether the gateway is refreshing the catalog now.")
    pinned: bool = strawberry.field(
        description="Whether the gateway's operator has pinned this version: it stays in use, whatever crawls find."
    )
    source: catalog_origin.CatalogOrigin = strawberry.field(
        resolver=catalog_origin.source,
        metadata=depends_on(DependsOn.CATALOG),
        description="Where the data come from: a site, or the demo that is embedded in the gateway.",
    )
    refused: Refusal | None = strawberry.field(
        description="The last crawl, if it was refused as implausible. Null if it was not. The catalog from "
        "before it stays in use."
    )
    history_since: datetime | None = strawberry.field(
        resolver=history_since,
        metadata=depends_on(DependsOn.FEED),
        description=(
            "From when on the gateway knows what the catalog was: `history`, `removedPackages`, `trending` and "
            "`@asOf` reach back to this time. Null before the first catalog."
        ),
    )
    changes_cursor: str | None = strawberry.field(
        resolver=changes_cursor,
        metadata=depends_on(DependsOn.FEED),
        description=(
            "The end of the change feed. Use it as `since` of `changes` or `catalogChanged` to get the "
            "changes after this answer. To mirror the catalog, take this cursor first and then read the records."
        ),
    )
