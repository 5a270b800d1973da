"""Gives the change feed as a connection, and as a subscription to new changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from enum import Enum
from typing import Annotated, Generic, NamedTuple, TypeVar

import strawberry
from strawberry.scalars import JSON

from catalog.history import FeedEntry, FeedExcerpt, FeedReplaced
from resolvers.client_errors import BadUserInput
from resolvers.cursor_codec import LAYOUT, Layout, NotACursor, decoded, encoded
from resolvers.field_names import graph_name
from resolvers.lists.pagination import PageInfo, page_size
from resolvers.loading.request_context import Context, Info
from resolvers.work_budget import EXCHANGE, LOOKUP
from upstream.client import PACKAGE, GridRecord, PackageRecord

_MAX_CURSOR = 200
"""The most characters of a cursor. The name of a feed and a position take far fewer."""
_ANEW = "take catalog { changesCursor }, read the records again, and continue from there"

Since = Annotated[
    str | None,
    strawberry.argument(
        description="Only the changes after this cursor. By default all changes of the last 30 days."
    ),
]
FirstChanges = Annotated[
    int | None,
    strawberry.argument(
        description="The number of changes from the oldest one, or after `since`: 0 to 100, 20 by default."
    ),
]
SinceNow = Annotated[
    str | None,
    strawberry.argument(
        description="The stream starts with the earlier changes after this cursor. By default it has only new "
        "changes."
    ),
]


@strawberry.enum(description="What happened to a record.")
class ChangeSort(Enum):
    """Says what happened to a record, by the name in the feed."""

    ADDED = strawberry.enum_value("added", description="The record was added.")
    CHANGED = strawberry.enum_value("changed", description="Fields of the record have new values.")
    REMOVED = strawberry.enum_value("removed", description="The record was removed.")


@strawberry.enum(description="The type of a record that changed.")
class ChangedType(Enum):
    """Says of which kind a record is, by its name in the feed."""

    PACKAGE = strawberry.enum_value("package", description="A package.")
    GRID = strawberry.enum_value("grid", description="A grid.")


N = TypeVar("N")


@strawberry.type(description="A field of a record, with its values before and after.")
class FieldChange:
    """Holds the values of one field."""

    name: str = strawberry.field(
        description="The name of the field in this graph. `category`, `grids` and `packages` are databaseIds."
    )
    old: JSON | None = strawberry.field(description="The value before, as JSON.")
    new: JSON | None = strawberry.field(description="The value after, as JSON.")


@strawberry.type(description="A change of one package or grid between two refreshes of the catalog.")
class Change(Generic[N]):
    """Says what happened to one record."""

    cursor: str = strawberry.field(description="The position in the feed, for `since`.")
    action: ChangeSort = strawberry.field(description="What happened.")

    sort: ChangeSort = strawberry.field(
        description="What happened, under the old name of the field.",
        deprecation_reason="It is called `action`.",
    )
    type: ChangedType = strawberry.field(description="The type of the record.")
    database_id: int = strawberry.field(description="The number of the record in the REST API.")
    slug: str = strawberry.field(
        description="The slug of the record; the last one if the record was removed."
    )
    at: datetime = strawberry.field(description="When the gateway noticed the change.")
    catalog_version: str = strawberry.field(description="The first version of the catalog with the change.")
    fields: list[FieldChange] = strawberry.field(
        description="The fields that changed. Empty for a record that was added or removed."
    )
    node: N | None = strawberry.field(
        description="The package or grid as it is now. Null if it was removed, by this change or later."
    )


@strawberry.type(description="A page of the change feed, oldest first. Each change has a cursor.")
class ChangeFeed(Generic[N]):
    """Holds a part of the feed."""

    nodes: list[Change[N]] = strawberry.field(description="The changes on this page.")
    page_info: PageInfo = strawberry.field(
        description="Whether there are more changes, and the cursors. An empty page has an `endCursor` too."
    )
    total_count: int = strawberry.field(
        description="The number of changes from the start of this page to the end of the feed."
    )


RecordChanged = Change[PackageRecord | GridRecord]
"""A change, and the record as it is now."""


async def changes(
    info: Info, since: Since = None, first: FirstChanges = None
) -> ChangeFeed[PackageRecord | GridRecord]:
    """Return a part of the feed, oldest first."""
    size = page_size("changes", "first", first)
    context = info.context
    _check_present(context, "changes")
    feed, after = ("", 0) if since is None else _read(since, "changes(since:)")
    context.work.spend(EXCHANGE + LOOKUP * size)
    excerpt = await context.source.changes(after, size)
    if since is not None:
        _check(excerpt, feed, after, "changes(since:)")
    nodes = [_change(context, entry) for entry in excerpt.entries]
    page_info = PageInfo(
        has_next_page=excerpt.left > 0,
        has_previous_page=excerpt.earlier,
        start_cursor=nodes[0].cursor if nodes else None,
        # An empty page has one too, because the next changes come behind it.
        end_cursor=_cursor(excerpt.feed, excerpt.end),
    )
    return ChangeFeed(nodes=nodes, page_info=page_info, total_count=len(nodes) + excerpt.left)


async def changes_cursor(info: Info) -> str | None:
    """Return the cursor behind the newest change."""
    info.context.work.spend(EXCHANGE)
    _check_present(info.context, "changesCursor")
    excerpt = await info.context.source.newest_change()
    return None if excerpt is None else _cursor(excerpt.feed, excerpt.newest)


async def catalog_changed(info: Info, since: SinceNow = None) -> AsyncIterator[RecordChanged]:
    """Yield the changes as they come. The cursor is checked before the first."""
    source = info.context.source
    if since is None:
        excerpt = await source.changes(0, 0)
        return _followed(info.context, excerpt.feed, excerpt.newest)
    feed, after = _read(since, "catalogChanged(since:)")
    _check(await source.changes(after, 0), feed, after, "catalogChanged(since:)")
    return _followed(info.context, feed, after)


async def _followed(context: Context, feed: str, after: int) -> AsyncIterator[RecordChanged]:
    try:
        async for entry in context.source.follow_changes(feed, after):
            # Each event is answered from the catalog of its time, not from that of the subscription's start.
            context.renew()
            # Each turn of the loop tells one, because thousands are told of a publish while others want answers.
            async with context.source.telling:
                await asyncio.sleep(0)
            yield _change(context, entry)
    except FeedReplaced:
        raise BadUserInput(f"The change feed began anew; {_ANEW}.") from None


def _change(context: Context, entry: FeedEntry) -> RecordChanged:
    change = entry.change
    # It is not the catalog of the request's start, which may be older than the feed.
    snapshot = context.source.latest
    node: PackageRecord | GridRecord | None = None
    if snapshot is not None:
        catalog = snapshot.catalog
        node = (catalog.packages if change.kind == PACKAGE.singular else catalog.grids).get(change.id)
    return Change(
        cursor=_cursor(entry.feed, entry.place),
        action=ChangeSort(change.sort),
        sort=ChangeSort(change.sort),
        type=ChangedType(change.kind),
        database_id=change.id,
        slug=change.slug,
        at=change.at,
        catalog_version=change.version.rpartition(" ")[2],
        fields=[
            FieldChange(name=graph_name(each.name), old=each.old, new=each.new) for each in change.fields
        ],
        node=node,
    )


class _FeedCursor(NamedTuple):
    """Holds a position in the feed with this name."""

    layout: Layout
    feed: str
    place: int


def _cursor(feed: str, place: int) -> str:
    return encoded(_FeedCursor(LAYOUT, feed, place))


def _read(cursor: str, argument: str) -> tuple[str, int]:
    try:
        _, feed, place = decoded(cursor, _FeedCursor, _MAX_CURSOR)
        if not 0 <= place < 2**63:
            raise NotACursor
    except NotACursor:
        raise BadUserInput(f"{argument} is not a cursor of the change feed; take one from changes.") from None
    return feed, place


def _check_present(context: Context, field: str) -> None:
    if context.loaders.as_of is not None:
        raise BadUserInput(f"{field} is about what changes now, so a query with @asOf cannot have it.")


def _check(excerpt: FeedExcerpt, feed: str, after: int, argument: str) -> None:
    if feed != excerpt.feed or after > excerpt.last:
        raise BadUserInput(f"{argument} is a cursor of another feed; {_ANEW}.")
    if not excerpt.complete:
        raise BadUserInput(f"{argument} is older than the 30 days that the feed keeps; {_ANEW}.")
