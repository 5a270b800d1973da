"""Reads and writes the cursors of searches. A cursor belongs to one query and to one of the two indexes.

A cursor names its result and its position, so that paging continues behind that result when the others have moved,
and near its position when it is gone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from resolvers.client_errors import BadUserInput
from resolvers.cursor_codec import LAYOUT, Layout, NotACursor, decoded, encoded

_MAX_CURSOR = 500
"""The most characters of a cursor. The longest slug and the rest take far fewer."""


class UpstreamPosition(NamedTuple):
    """Holds a hit of upstream, and how many hits came before it."""

    item_type: str
    slug: str
    ahead: int


class CatalogPosition(NamedTuple):
    """Holds a result of the catalog's index, and its score."""

    kind: str
    id: int
    score: float


SearchPosition = UpstreamPosition | CatalogPosition


class _SearchCursor(NamedTuple):
    """Holds the digest of a query, and one of the two positions."""

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

    :raises BadUserInput: the text is not a cursor, or is one of another query.
    """
    try:
        _, digest, upstream, catalog = decoded(text, _SearchCursor, _MAX_CURSOR)
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
