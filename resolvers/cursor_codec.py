"""Encodes cursors: base64url of a JSON array, whose first item is the number of its layout.

A client passes a cursor back as it got it, so only what :func:`encoded` writes is accepted: each position has one
cursor.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, Literal, TypeVar

import msgspec

Layout = Literal[1]
"""The type of the first item, for the type that :func:`decoded` takes."""

LAYOUT: Final = 1
"""The number of the present layout. A change of the layout raises it, so that old cursors are refused and not
misread."""

C = TypeVar("C", bound=tuple[object, ...])


class NotACursor(ValueError):
    """Says that a text is not a cursor of this kind."""


def encoded(cursor: tuple[object, ...]) -> str:
    """Return the text of a cursor, whose first item is :data:`LAYOUT`."""
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def decoded(text: str, type_: type[C], longest: int) -> C:
    """Return the cursor with this text of at most ``longest`` characters: a named tuple of this type.

    :raises NotACursor: the text is not such a cursor.
    """
    if len(text) > longest:
        raise NotACursor
    try:
        # A text that is not ASCII is no cursor either.
        json = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        cursor = msgspec.json.decode(json, type=type_)
    except (ValueError, msgspec.DecodeError):
        raise NotACursor from None
    if encoded(cursor) != text:
        raise NotACursor
    return cursor
