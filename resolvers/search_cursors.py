"""The cursors of searches: opaque, of one query, and of one of the two that answer searches.

A cursor names its result as well as the place where it stood, so that paging goes on behind that result when the
others have moved, and near there when it is gone itself.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from resolvers.client_errors import BadUserInput
from resolvers.cursor_codec import LAYOUT, Layout, NotACursor, decoded, encoded

_MOST_CURSOR = 500
"""Characters: the longest slug and all beside it are well below."""


class UpstreamPosition(NamedTuple):
    """A hit of upstream, and how many stood ahead of it."""

    item_type: str
    slug: str
    ahead: int


class CatalogPosition(NamedTuple):
    """A result of the catalog's index, and its score."""

    kind: str
    id: int
    score: float


SearchPosition = UpstreamPosition | CatalogPosition


class _SearchCursor(NamedTuple):
    """The digest of a query, and one of the two positions."""

    layout: Layout
    query: str
    upstream: UpstreamPosition | None
    catalog: CatalogPosition | None


def write_cursor(query: str, position: SearchPosition) -> str:
    """Return the cursor of a result of this query."""
    upstream = position if isinstance(position, UpstreamPosition) else None
    catalog = position if isinstance(position, CatalogPosition) else None
    return encoded(_SearchCursor(LAYOUT, _digest(query), upstream, catalog))


def read_cursor(text: str, query: str) -> SearchPosition:
    """Return what the cursor names.

    :raises BadUserInput: it is none, or one of another query.
    """
    try:
        _, digest, upstream, catalog = decoded(text, _SearchCursor, _MOST_CURSOR)
        position = upstream or catalog
        if position is None or (upstream and catalog):
            raise NotACursor
    except NotACursor:
        raise BadUserInput(
            "search(after:) is not a cursor of a search; take one from an edge or pageInfo."
        ) from None
    if digest != _digest(query):
        raise BadUserInput("search(after:) is a cursor of another search; begin without a cursor.")
    return position


def _digest(query: str) -> str:
    return sha256(query.encode()).hexdigest()[:12]
