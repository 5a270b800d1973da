"""The type CatalogStatus: how much the gateway knows, and how old that is."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.answer_dependencies import DependsOn, depends_on
from resolvers.change_feed import changes_cursor


@strawberry.type(
    description=(
        "The gateway's copy of the catalog, as the answer that shows it was made. "
        "Null in most fields while there is none and every record is asked for live."
    )
)
class CatalogStatus:
    """Resolved from :class:`catalog.freshness.SnapshotStatus`."""

    version: str | None = strawberry.field(
        description="A fingerprint of the content: two gateways with the same version have the same records."
    )
    refreshed_at: datetime | None = strawberry.field(
        description="When Django Packages was last seen to be like this."
    )
    age_seconds: int | None = strawberry.field(description="The seconds since `refreshedAt`.")
    stale: bool = strawberry.field(
        description="Whether the copy is older than it should be, because it could not be refreshed yet."
    )
    package_count: int | None = strawberry.field(description="How many packages are known.")
    grid_count: int | None = strawberry.field(description="How many grids are known.")
    category_count: int | None = strawberry.field(description="How many categories are known.")
    syncing: bool = strawberry.field(description="Whether the gateway is reading Django Packages anew now.")
    changes_cursor: str | None = strawberry.field(
        resolver=changes_cursor,
        metadata=depends_on(DependsOn.FEED),
        description=(
            "The end of the change feed: as `since` of `changes` or `catalogChanged` it brings what comes after "
            "this answer. To mirror the catalog, take it first, then read the records."
        ),
    )
