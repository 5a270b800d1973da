"""Tests what the headers Accept and Accept-Encoding mean."""

from __future__ import annotations

import gzip

import brotli
import pytest
import zstandard

from web.compression import compressed, encoding_for
from web.content_negotiation import GRAPHQL_JSON, JSON, accepted

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "json"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        ("Application/GraphQL-Response+JSON; charset=utf-8", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON};q=0.5", JSON),
        (f"{JSON};q=0.5, */*", JSON),
        (f"{GRAPHQL_JSON};q=0, */*", JSON),
        (f"{JSON};q=0, {GRAPHQL_JSON};q=0.1", GRAPHQL_JSON),
        (f"{JSON};q=x", JSON),
        (f"{JSON};q=7", JSON),
        (BROWSER, JSON),
        ("text/html", None),
        ("text/event-stream", None),
        ("*/*;q=0", None),
        (f"{JSON};q=0, */*", GRAPHQL_JSON),
        (f"{JSON};q=0, application/*;q=0, */*", None),
        (f"{JSON};q=0.0, {GRAPHQL_JSON}; q=0", None),
        (",;,", None),
    ],
)
def test_the_type_of_json_that_weighs_most_is_taken(header: str | None, json: str | None) -> None:
    assert accepted(header).json == json


@pytest.mark.parametrize(
    ("header", "events", "page"),
    [
        (None, False, False),
        ("*/*", False, False),
        (BROWSER, False, True),
        ("text/event-stream", True, False),
        ("Text/Event-Stream; q=0.5, text/html;q=0", True, False),
        ("text/event-stream;q=0, */*", False, False),
        ("text/html", False, True),
        (f"text/html, {JSON}", False, True),
        (f"{JSON}, text/html", False, False),
        (f"text/html;q=0.9, {JSON}", False, False),
        (f"{GRAPHQL_JSON};q=0.9, text/html, */*", False, True),
    ],
)
def test_events_and_pages_are_for_those_who_name_them(header: str | None, events: bool, page: bool) -> None:
    takes = accepted(header)
    assert (takes.events, takes.page) == (events, page)


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        (None, None),
        ("", None),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate, zstd", "gzip"),
        ("zstd, identity", "zstd"),
        ("zstd", "zstd"),
        ("br;q=0.9, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5, br;q=0.2", "gzip"),
        ("*", "br"),
        ("zstd;q=0, *;q=0.1", "br"),
        ("identity", None),
        ("identity, gzip;q=0.5", None),
        ("deflate", None),
        ("gzip;q=0", None),
        ("*;q=0", None),
    ],
)
def test_the_encoding_that_weighs_most_is_taken(header: str | None, encoding: str | None) -> None:
    assert encoding_for(header) == encoding


def test_each_encoding_can_be_undone() -> None:
    body = b"GraphQL " * 1000
    assert gzip.decompress(compressed(body, "gzip")) == body
    assert brotli.decompress(compressed(body, "br")) == body
    assert zstandard.ZstdDecompressor().decompress(compressed(body, "zstd")) == body
