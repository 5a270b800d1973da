"""Cursors are read only as they are written, and are written as they always were."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import NamedTuple

import pytest

from resolvers.cursor_codec import LAYOUT, Layout, NotACursor, decoded, encoded
from resolvers.lists.pagination import write_cursor as write_list_cursor
from resolvers.lists.sort_orders import PackageOrder
from resolvers.search_cursors import CatalogPosition, UpstreamPosition
from resolvers.search_cursors import write_cursor as write_search_cursor


class Place(NamedTuple):
    """A cursor of two values."""

    layout: Layout
    name: str
    number: float


PLACE = Place(LAYOUT, "é", 0.1)


def test_what_is_written_is_read() -> None:
    assert decoded(encoded(PLACE), Place, 100) == PLACE


def test_a_cursor_can_have_as_many_characters_as_allowed() -> None:
    text = encoded(PLACE)
    assert decoded(text, Place, len(text)) == PLACE
    with pytest.raises(NotACursor):
        decoded(text, Place, len(text) - 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "\ud800",
        encoded(PLACE) + "=",
        encoded(PLACE)[:-1],
        encoded((2, "a", 1.0)),
        encoded((True, "a", 1.0)),
        encoded((1, "a")),
        encoded((1, "a", 1.0, 1)),
        encoded((1, 1.0, "a")),
        urlsafe_b64encode(b'[1, "a", 1.0]').decode(),
        urlsafe_b64encode(b'[1,"a",1]').decode().rstrip("="),
        urlsafe_b64encode(b"[" * 1000).decode().rstrip("="),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(NotACursor):
        decoded(text, Place, 2000)


@pytest.mark.parametrize(
    ("cursor", "text"),
    [
        (
            write_list_cursor(PackageOrder.STARS_DESC.order, 12, 1599),
            "WzEsInN0YXJzIGRlc2NlbmRpbmciLDEyLDE1OTld",
        ),
        (
            write_search_cursor("django", CatalogPosition("grid", 11, 2.5)),
            "WzEsIjdkOGEwODM4Y2U4ZSIsbnVsbCxbImdyaWQiLDExLDIuNV1d",
        ),
        (
            write_search_cursor("django", UpstreamPosition("package", "a-slug", 3)),
            "WzEsIjdkOGEwODM4Y2U4ZSIsWyJwYWNrYWdlIiwiYS1zbHVnIiwzXSxudWxsXQ",
        ),
    ],
)
def test_the_cursors_that_clients_hold_stay_as_they_are(cursor: str, text: str) -> None:
    assert cursor == text
