"""The change feed as a connection, and as it grows."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import msgspec
import strawberry

from resolvers.arguments import First
from resolvers.context import Context, Info
from resolvers.errors import BadUserInput
from resolvers.pagination import Connection, Edge, PageInfo, page_size
from upstream.feed import Entry, Excerpt
from upstream.records import PACKAGE, Grid, Package

_LAYOUT = 1

Since = Annotated[
    str | None,
    strawberry.argument(
        description="Only what came after this cursor. By default all that is kept: that of 30 days."
    ),
]
SinceNow = Annotated[
    str | None,
    strawberry.argument(
        description="Also what came after this cursor. By default only what comes from now on."
    ),
]


@strawberry.enum(description="What happened to a record.")
class ChangeSort(Enum):
    """By the name that the feed has for it."""

    ADDED = strawberry.enum_value("added", description="It came.")
    CHANGED = strawberry.enum_value("changed", description="Some of its fields have new values.")
    REMOVED = strawberry.enum_value("removed", description="It is gone.")


@strawberry.enum(description="What type of record changed.")
class ChangedType(Enum):
    """By the name of its kind."""

    PACKAGE = strawberry.enum_value("package", description="A package.")
    GRID = strawberry.enum_value("grid", description="A grid.")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with its values before and after."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one record, and the record as it is now."""

    cursor: str
    sort: ChangeSort
    type: ChangedType
    database_id: int
    slug: str
    at: datetime
    catalog_version: str
    fields: list[FieldChange]
    node: Package | Grid | None


async def changes(info: Info, since: Since = None, first: First = None) -> Connection[Change]:
    """A part of the feed, oldest first."""
    size = page_size("changes", "first", first)
    context = info.context
    feed, after = ("", 0) if since is None else _read(since, "changes(since:)")
    excerpt = await _excerpt(context, after, size)
    if since is not None:
        _check(excerpt, feed, after, "changes(since:)")
    edges = [
        Edge(_write(excerpt.feed, entry), _change(context, excerpt.feed, entry)) for entry in excerpt.entries
    ]
    page_info = PageInfo(
        has_next_page=excerpt.left > 0,
        has_previous_page=after > 0,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else since,
    )
    return Connection(edges, page_info, len(edges) + excerpt.left)


async def catalog_changed(info: Info, since: SinceNow = None) -> AsyncIterator[Change]:
    """The feed as it grows."""
    context = info.context
    if since is None:
        excerpt = await _excerpt(context, 0, 0)
        after = excerpt.last
    else:
        feed, after = _read(since, "catalogChanged(since:)")
        excerpt = await _excerpt(context, after, 0)
        _check(excerpt, feed, after, "catalogChanged(since:)")
    async for entry in context.source.sync.follow_changes(after):
        # Each event is answered from the catalog of its time, not from that of the subscription's start.
        context.renew()
        yield _change(context, excerpt.feed, entry)


async def _excerpt(context: Context, after: int, limit: int) -> Excerpt:
    return await context.source.sync.changes(after, limit)


def _change(context: Context, feed: str, entry: Entry) -> Change:
    change = entry.change
    catalog = context.loaders.catalog
    node: Package | Grid | None = None
    if catalog is not None:
        node = (catalog.packages if change.kind == PACKAGE.singular else catalog.grids).get(change.id)
    return Change(
        cursor=_write(feed, entry),
        sort=ChangeSort(change.sort),
        type=ChangedType(change.kind),
        database_id=change.id,
        slug=change.slug,
        at=change.at,
        catalog_version=change.version.rpartition(" ")[2],
        fields=[FieldChange(_camel(each.name), each.old, each.new) for each in change.fields],
        node=node,
    )


def _write(feed: str, entry: Entry) -> str:
    return _encoded(feed, entry.place)


def _encoded(feed: str, place: int) -> str:
    return urlsafe_b64encode(msgspec.json.encode((_LAYOUT, feed, place))).decode().rstrip("=")


def _read(cursor: str, argument: str) -> tuple[str, int]:
    try:
        text = urlsafe_b64decode(cursor[:200].encode("ascii") + b"=" * (-len(cursor) % 4))
        layout, feed, place = msgspec.json.decode(text, type=tuple[int, str, int])
        if layout != _LAYOUT or not 0 <= place < 2**63 or _encoded(feed, place) != cursor:
            raise ValueError
    except (ValueError, msgspec.DecodeError):
        raise BadUserInput(f"{argument} is no cursor of the change feed; take one from changes.") from None
    return feed, place


def _check(excerpt: Excerpt, feed: str, after: int, argument: str) -> None:
    if feed != excerpt.feed or after > excerpt.last:
        raise BadUserInput(
            f"{argument} is a cursor of another feed; read the records anew, and then go on without it."
        )
    if not excerpt.complete:
        raise BadUserInput(
            f"{argument} is older than the 30 days that the feed keeps; read the records anew, then go on without it."
        )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
