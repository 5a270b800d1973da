"""Relay connections: a part of a list, with cursors to go on from."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

T = TypeVar("T")


@strawberry.federation.type(
    # Every graph with connections has it, with these fields (Relay's Cursor Connections, 5).
    description="Information to aid in pagination.",
    shareable=True,
)
class PageInfo:
    """Resolved from :class:`resolvers.lists.pagination.PageInfo`."""

    has_next_page: bool = strawberry.field(description="When paginating forwards, are there more items?")
    has_previous_page: bool = strawberry.field(description="When paginating backwards, are there more items?")
    start_cursor: str | None = strawberry.field(
        description="When paginating backwards, the cursor to continue."
    )
    end_cursor: str | None = strawberry.field(description="When paginating forwards, the cursor to continue.")


@strawberry.type(description="A record at its place in a list.")
class Edge(Generic[T]):
    """Resolved from :class:`resolvers.lists.pagination.Edge`."""

    cursor: str = strawberry.field(description="The place, for `after` and `before`.")
    node: T | None = strawberry.field(
        description="The record. Null, with an error, if upstream's data for it makes no sense."
    )


@strawberry.type(description="A part of a list, with cursors to go on from.")
class Connection(Generic[T]):
    """Resolved from :class:`resolvers.lists.pagination.Connection`."""

    edges: list[Edge[T]] = strawberry.field(description="The records of this part with their cursors.")
    nodes: list[T | None] = strawberry.field(description="The records of this part without their cursors.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and from where.")
    total_count: int = strawberry.field(description="How many records the whole list has.")
