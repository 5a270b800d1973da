"""The cursors of searches: opaque, of one query, and of one of the two that answer searches.

A cursor names its result as well as the place where it stood, so that paging goes on behind that result when the
others have moved, and near there when it is gone itself.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

import msgspec

from resolvers.client_errors import BadUserInput

_LAYOUT = 1
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


class _Cursor(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    layout: int
    query: str
    upstream: UpstreamPosition | None
    catalog: CatalogPosition | None


def write_cursor(query: str, position: SearchPosition) -> str:
    """The cursor of a result of this query."""
    upstream = position if isinstance(position, UpstreamPosition) else None
    catalog = position if isinstance(position, CatalogPosition) else None
    cursor = _Cursor(_LAYOUT, _digest(query), upstream, catalog)
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str, query: str) -> SearchPosition:
    """What the cursor names.

    :raises BadUserInput: it is none, or one of another query.
    """
    try:
        # What is not ASCII is no cursor either.
        padded = text[:_MOST_CURSOR].encode("ascii") + b"=" * (-len(text) % 4)
        cursor = msgspec.json.decode(urlsafe_b64decode(padded), type=_Cursor)
        position = cursor.upstream or cursor.catalog
        if cursor.layout != _LAYOUT or position is None or (cursor.upstream and cursor.catalog):
            raise ValueError
    except (ValueError, msgspec.DecodeError):
        raise BadUserInput(
            "search(after:) is no cursor of a search; take one from an edge or pageInfo."
        ) from None
    if cursor.query != _digest(query):
        raise BadUserInput("search(after:) is a cursor of the search for something else; begin without one.")
    return position


def _digest(query: str) -> str:
    return sha256(query.encode()).hexdigest()[:12]
