"""The catalog's source shows what it knows by few names; the rooms above it do not reach into its parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PORT = {
    "aclose",
    "batcher",
    "changes",
    "crawl",
    "crawled",
    "current",
    "embedded",
    "first_catalog",
    "follow_changes",
    "freshness",
    "health",
    "history",
    "latest",
    "newest_change",
    "older",
    "open",
    "ready",
    "refreshed",
    "search_wait",
    "status",
    "take",
    "upstream_answers",
    "telling",
}


@pytest.mark.parametrize("room", ["web", "gateway", "resolvers", "schema", "cli"])
def test_a_room_above_asks_a_source_by_its_port_alone(room: str) -> None:
    texts = {str(path): path.read_text(encoding="utf-8") for path in (ROOT / room).rglob("*.py")}
    # Most files name no source, and to parse them takes a while.
    found = {name: sorted(set(_asked(text)) - PORT) for name, text in texts.items() if "source" in text}
    assert {name: attributes for name, attributes in found.items() if attributes} == {}


def _asked(text: str) -> Iterator[str]:
    """Yield the attributes that are taken of anything called source, but for the source of a GraphQL error."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = getattr(owner, "attr", None) or getattr(owner, "id", "")
            of_error = getattr(getattr(owner, "value", None), "id", "") == "error"
            if name in ("source", "_source") and not of_error:
                yield node.attr
