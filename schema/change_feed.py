"""The types of the change feed: what crawls found added, changed and removed."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from resolvers.change_feed import ChangedType, ChangeSort
from schema.connection import PageInfo


@strawberry.type(description="A field of a record, with its values before and after.")
class FieldChange:
    """Resolved from :class:`resolvers.change_feed.FieldChange`."""

    name: str = strawberry.field(
        description="The name of the field in this graph. `category`, `grids` and `packages` are databaseIds."
    )
    old: JSON | None = strawberry.field(description="The value before, as JSON.")
    new: JSON | None = strawberry.field(description="The value after, as JSON.")


@strawberry.type(description="What happened to one package or grid between two readings of Django Packages.")
class Change:
    """Resolved from :class:`resolvers.change_feed.Change`."""

    cursor: str = strawberry.field(description="The place in the feed, for `since`.")
    action: ChangeSort = strawberry.field(description="What happened.")
    sort: ChangeSort = strawberry.field(
        description="What happened, by the old name of the field.",
        deprecation_reason="It is called `action`.",
    )
    type: ChangedType = strawberry.field(description="What type of record it happened to.")
    database_id: int = strawberry.field(description="The number of the record in the REST API.")
    slug: str = strawberry.field(
        description="The name of the record in addresses; the last one, if it is gone."
    )
    at: datetime = strawberry.field(description="When the gateway saw it.")
    catalog_version: str = strawberry.field(
        description="The first version of the catalog that has the change."
    )
    fields: list[FieldChange] = strawberry.field(
        description="What is different. Empty for a record that came or is gone."
    )
    node: relay.Node | None = strawberry.field(
        description="The package or grid as it is now. Null if it is gone, now or since."
    )


@strawberry.type(description="A part of the change feed, oldest first. Each change has its cursor.")
class ChangeFeed:
    """Resolved from :class:`resolvers.change_feed.ChangeFeed`."""

    nodes: list[Change] = strawberry.field(description="The changes of this part.")
    page_info: PageInfo = strawberry.field(
        description="Whether there is more, and from where; `endCursor` is there for an empty part too."
    )
    total_count: int = strawberry.field(description="How many changes there are from this part's start on.")
