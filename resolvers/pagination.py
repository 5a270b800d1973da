"""Relay connections over upstream's limit and offset (contract section 2).

A cursor is the place of a record in the list, newest first. Upstream moves places when packages come and go,
so a cursor is good for paging on at once, not for keeping.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Generic

from resolvers.errors import BadUserInput
from resolvers.loaders import RecordLoader
from upstream.errors import UpstreamBadData
from upstream.records import BadRecord, R

DEFAULT_PAGE = 20
MAX_PAGE = 100
_CURSOR = "offset:"
_MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Edge(Generic[R]):
    """A record at its place. A record that does not fit is the error it gives."""

    cursor: str
    node: R | UpstreamBadData


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Whether there is more, and from where."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Connection(Generic[R]):
    """A part of a list."""

    edges: list[Edge[R]]
    page_info: PageInfo
    total_count: int

    @property
    def nodes(self) -> list[R | UpstreamBadData]:
        """The records without their cursors."""
        return [edge.node for edge in self.edges]


async def connection(
    loader: RecordLoader[R],
    field: str,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[R]:
    """The part of the list that the Relay arguments of ``field`` ask for.

    One request; two for ``last``, which must learn the end of the list first.

    :raises BadUserInput: an argument is out of its range, or the arguments contradict each other.
    :raises UpstreamError: there is no answer.
    """
    if first is not None and last is not None:
        raise BadUserInput(f"{field} takes first or last, not both.")
    size = _page_size(field, "first", first) if last is None else _page_size(field, "last", last)
    start = 0 if after is None else _place(field, "after", after) + 1
    end = None if before is None else _place(field, "before", before)
    if last is not None:
        count = (await loader.page(limit=1, offset=0)).count
        end = count if end is None else min(end, count)
        start = max(start, end - size)
    if end is not None:
        size = max(0, min(size, end - start))

    # Upstream takes a limit of 0 for the default of 20, so even an empty part asks for one record.
    page = await loader.page(limit=max(size, 1), offset=start)
    edges = [
        Edge(_cursor(start + place), _bad(result) if isinstance(result, BadRecord) else result)
        for place, result in enumerate(page.results[:size])
    ]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=start + len(edges) < page.count,
            has_previous_page=start > 0 and page.count > 0,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        total_count=page.count,
    )


def _page_size(field: str, argument: str, size: int | None) -> int:
    if size is None:
        return DEFAULT_PAGE
    if not 0 <= size <= MAX_PAGE:
        raise BadUserInput(f"{field}({argument}:) is {size}; it can be 0 to {MAX_PAGE}.")
    return size


def _cursor(place: int) -> str:
    return urlsafe_b64encode(f"{_CURSOR}{place}".encode()).decode()


def _place(field: str, argument: str, cursor: str) -> int:
    try:
        text = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii")
    except ValueError:
        text = ""
    prefix, place = text[: len(_CURSOR)], text[len(_CURSOR) :]
    # Only what _cursor writes is read: one place has one cursor.
    well_formed = prefix == _CURSOR and place.isdecimal() and len(place) <= _MAX_DIGITS
    if not well_formed or _cursor(int(place)) != cursor:
        raise BadUserInput(
            f"{field}({argument}:) is no cursor of this list; take one from an edge or pageInfo."
        )
    return int(place)


def _bad(record: BadRecord) -> UpstreamBadData:
    return UpstreamBadData(f"Upstream's {record.kind} {record.id} does not fit: {record.reason}.")
