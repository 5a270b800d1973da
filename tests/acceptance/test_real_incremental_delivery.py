"""Tests that Apollo Client reads answers in parts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import Served, served

CLIENTS = Path(__file__).parents[1] / "clients"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    npm_install(CLIENTS)
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


def states(gateway: Served, query: str) -> list[tuple[str, object]]:
    """Return what the client shows, one after the other."""
    command = ["node", "defer.js", gateway.graphql, query]
    done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=True)
    return [(state["dataState"], state["data"]) for state in map(json.loads, done.stdout.splitlines())]


def test_what_is_deferred_is_shown_later(gateway: Served) -> None:
    query = 'query Q { package(slug: "django-celery-email") { title ... @defer { grids { slug } } } }'
    package = {"__typename": "Package", "title": "django-celery-email"}
    grids = [{"__typename": "Grid", "slug": "email"}]
    assert states(gateway, query) == [
        ("streaming", {"package": package}),
        ("complete", {"package": package | {"grids": grids}}),
    ]


def test_a_list_is_shown_as_it_grows(gateway: Served) -> None:
    (_state, first), *_, (last_state, last) = states(
        gateway, "query Q { categories @stream(initialCount: 2) { slug } }"
    )
    whole = gateway.ask("{ categories { __typename slug } }")
    assert first == {"categories": whole["categories"][:2]}
    assert last == whole
    assert last_state == "complete"
