"""Makes Relay connections over a list in some order, with keyset cursors (Relay's cursor connections specification).

A cursor holds the id of its record and the value that it is sorted by. So paging continues at the right position
whatever was inserted or removed between two pages, even if the record itself is gone. It names the order, which belongs
to one kind of records, so a cursor of grids is none of packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import strawberry

from catalog import K, Key, Order, R, Value
from engine import DependsOn, depends_on
from resolvers.client_errors import BadUserInput
from resolvers.cursor_codec import LAYOUT, Layout, NotACursor, decoded, encoded

DEFAULT_PAGE = 20
MAX_PAGE = 100
_MAX_CURSOR = 2000
"""The most characters of a cursor. The longest title and its order take far fewer."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """Holds the four arguments of a connection, as they were given to ``field``."""

    field: str
    first: int | None
    after: str | None
    last: int | None
    before: str | None

    @property
    def is_plain(self) -> bool:
        """Return whether it asks for the head of the list."""
        return self.after is None and self.last is None and self.before is None

    def span(self, order: Order[R]) -> PageSpan:
        """Return the span that they ask for in a list of this order.

        :raises BadUserInput: they contradict each other, or one of them makes no sense.
        """
        if self.first is not None and self.last is not None:
            raise BadUserInput(f"{self.field} takes first or last, not both.")
        from_the_end = self.last is not None
        argument, size = ("last", self.last) if from_the_end else ("first", self.first)
        return PageSpan(
            page_size(self.field, argument, size),
            from_the_end,
            None if self.after is None else read_cursor(self.field, "after", self.after, order),
            None if self.before is None else read_cursor(self.field, "before", self.before, order),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PageSpan:
    """Describes a part of a list in some order: ``size`` records, from the start or the end of the part between two
    positions."""

    size: int
    from_the_end: bool
    after: tuple[Value, Key] | None
    before: tuple[Value, Key] | None


@strawberry.federation.type(
    # Every graph with connections has it, with these fields (Relay's Cursor Connections, 5).
    description="Information to aid in pagination.",
    shareable=True,
)
class PageInfo:
    """Says whether there is more, and from where."""

    has_next_page: bool = strawberry.field(description="When paginating forwards, are there more items?")
    has_previous_page: bool = strawberry.field(description="When paginating backwards, are there more items?")
    start_cursor: str | None = strawberry.field(
        description="When paginating backwards, the cursor to continue."
    )
    end_cursor: str | None = strawberry.field(description="When paginating forwards, the cursor to continue.")


@strawberry.type(description="A record with its position in a list.")
class Edge(Generic[T]):
    """Holds a record, or the error of one that does not fit."""

    cursor: str = strawberry.field(description="The position, for `after` and `before`.")
    node: T | None = strawberry.field(
        description="The record. Null, with an error, if upstream's data for it are wrong."
    )


def edges(root: Connection[T]) -> list[Edge[T]]:
    """Return the records with their cursors."""
    return [Edge(cursor=root.cursor(place), node=node) for place, node in enumerate(root.nodes)]


def page_info(root: Connection[T]) -> PageInfo:
    """Return the page information."""
    return PageInfo(
        has_next_page=root.start + len(root.nodes) < root.total_count,
        has_previous_page=root.start > 0 and root.total_count > 0,
        start_cursor=root.cursor(0) if root.nodes else None,
        end_cursor=root.cursor(len(root.nodes) - 1) if root.nodes else None,
    )


@strawberry.type(description="A page of a list, with cursors.")
class Connection(Generic[T]):
    """Writes cursors when they are asked for."""

    start: strawberry.Private[int]
    """The index of the first record in the whole list."""
    cursor: strawberry.Private[Callable[[int], str]]
    """Writes the cursor of a record, by its index on this page."""

    edges: list[Edge[T]] = strawberry.field(
        resolver=edges,
        metadata=depends_on(DependsOn.CATALOG),
        description="The records of this page with their cursors.",
    )
    nodes: list[T | None] = strawberry.field(description="The records of this page without cursors.")

    page_info: PageInfo = strawberry.field(
        resolver=page_info,
        metadata=depends_on(DependsOn.CATALOG),
        description="Whether there are more records, and the cursors of this page.",
    )
    total_count: int = strawberry.field(description="The number of records in the whole list.")
    is_reused: strawberry.Private[bool] = False
    """Whether the catalog keeps it for the next request, so that it never changes (``engine.ReusedValue``)."""


def connection(span: PageSpan, ids: Sequence[K], order: Order[R], records: Mapping[K, R]) -> Connection[R]:
    """Return the part of the list that is asked for; ``ids`` are the whole list, in ``order``."""

    def key(id: K) -> tuple[Value, Key]:
        return order.value_of(records[id]), id

    start, end = 0, len(ids)
    after, before = span.after, span.before
    if after is not None:
        start = _place(ids, lambda id: not order.precedes(after, key(id)))
    if before is not None:
        end = max(start, _place(ids, lambda id: order.precedes(key(id), before)))
    if span.from_the_end:
        start = max(start, end - span.size)
    else:
        end = min(end, start + span.size)
    page = ids[start:end]
    return Connection(
        start=start,
        cursor=lambda place: write_cursor(order, *key(page[place])),
        nodes=[records[id] for id in page],
        total_count=len(ids),
    )


def page_size(field: str, argument: str, size: int | None) -> int:
    """Return the number of records that are requested, 20 by default.

    :raises BadUserInput: the number is out of range.
    """
    if size is None:
        return DEFAULT_PAGE
    if not 0 <= size <= MAX_PAGE:
        raise BadUserInput(f"{field}({argument}:) is {size}; it can be 0 to {MAX_PAGE}.")
    return size


def write_cursor(order: Order[R], value: Value, id: Key) -> str:
    """Return the cursor of a record with this value and id in a list of this order."""
    return encoded(_ListCursor(LAYOUT, order.name, value, id))


def read_cursor(field: str, argument: str, cursor: str, order: Order[R]) -> tuple[Value, Key]:
    """Return the value and the id in a cursor.

    :raises BadUserInput: the text is not a cursor, or is one of another order or kind of records.
    """
    try:
        _, name, value, id = decoded(cursor, _ListCursor, _MAX_CURSOR)
        if name == order.name and not _fits(value, id, order):
            raise NotACursor
    except NotACursor:
        raise BadUserInput(
            f"{field}({argument}:) is not a cursor of this list; take one from an edge or pageInfo."
        ) from None
    if name != order.name:
        raise BadUserInput(
            f"{field}({argument}:) is a cursor of another sort order ({name}); this list is in order of {order.name}."
        )
    return value, id


class _ListCursor(NamedTuple):
    """Holds the value that a record is sorted by, in the order with this name."""

    layout: Layout
    order: str
    value: str | int | float | None
    id: int | str


def _fits(value: Value, id: Key, order: Order[R]) -> bool:
    return isinstance(value, order.value_type | None) and isinstance(id, order.key_type)


def _place(ids: Sequence[K], stands_before: Callable[[K], bool]) -> int:
    """Return the index of the first id that is not before. All ids that are before stand at the head."""
    low, high = 0, len(ids)
    while low < high:
        middle = (low + high) // 2
        if stands_before(ids[middle]):
            low = middle + 1
        else:
            high = middle
    return low
