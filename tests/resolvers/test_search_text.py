"""Tests that upstream searches for the text that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import pytest

from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

SEARCH = "query($text: String!) { search(query: $text) { answeredBy reason totalCount } }"


@pytest.mark.parametrize(
    "text",
    [
        "email\u00a0auth",
        "email\u2003auth",
        "\u00a0email auth\u3000",
        "email\u200bauth",
    ],
)
async def test_a_blank_beyond_ascii_is_sent_as_it_is(
    ask_catalog: Ask, embedded: EmbeddedUpstream, text: str
) -> None:
    found = (await ask_catalog(SEARCH, text=text))["data"]["search"]
    assert found["answeredBy"] == "UPSTREAM"
    assert [*embedded.requests.by_target] == [f"/api/v4/search/?q={quote_plus(text)}"]


async def test_spaces_of_ascii_make_no_other_search(ask_catalog: Ask, embedded: EmbeddedUpstream) -> None:
    for text in ("email auth", "  email   auth ", "email\tauth\r\n"):
        await ask_catalog(SEARCH, text=text)
    assert embedded.requests.by_target == {"/api/v4/search/?q=email+auth": 1}


@pytest.mark.parametrize("text", ["", " ", "\u00a0", " \t\n\u2003"])
async def test_what_upstream_takes_for_blank_is_not_searched(
    ask_catalog: Ask, embedded: EmbeddedUpstream, text: str
) -> None:
    found = (await ask_catalog(SEARCH, text=text))["data"]["search"]
    assert (found["totalCount"], found["reason"]) == (0, "The query is blank, so there was no search.")
    assert embedded.requests.total == 0
