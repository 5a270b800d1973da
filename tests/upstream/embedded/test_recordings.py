"""Tests the embedded upstream, held to the recorded exchanges with the real application.

A catalog is made of the rows that the recordings contain, filled up with blank rows to the recorded counts,
so that even pages can be compared byte by byte.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from upstream.embedded import (
    CategoryRow,
    EmbeddedCatalog,
    EmbeddedUpstream,
    GridRow,
    PackageRow,
    State,
    category_from_v4,
    grid_from_v4,
    package_from_v4,
)

Recorded = dict[str, Any]

RECORDINGS: dict[str, Recorded] = {
    recorded["label"]: recorded
    for recorded in map(
        json.loads, Path(__file__).with_name("recordings.jsonl").read_text("utf-8").split("\n")[:-1]
    )
}

# What cannot be equal, and why. Status, headers and the keys of the body are compared all the same.
_RANKING = "the ranking and the popularity numbers are our own, and most hits were not recorded as rows"
OTHER_BODIES = {
    "search-cacheback": _RANKING,
    "search-celery": _RANKING,
    "search-email": _RANKING,
    "search-django": _RANKING,
    "search-typo": _RANKING,
    "search-prefix": _RANKING,
    "search-grid-first": _RANKING,
    "search-numeric-slugs": _RANKING,
    "search-limit-ignored": _RANKING,
    "search-minus": _RANKING,
    "search-shortcodes": _RANKING,
    "search-unicode": _RANKING,
    "search-format-json": _RANKING,
    "search-stale-renamed": _RANKING,
    "search-stale-deleted": _RANKING,
}

STATES: dict[str, State] = {"maintenance": "maintenance", "db-down": "database-down"}

# The server's own, and what changes by the minute; the names of cookies are compared apart.
OTHER_HEADERS = {"server", "date", "connection", "transfer-encoding", "expires", "set-cookie"}


def recorded_rows(key: str) -> Iterator[dict[str, Any]]:
    """Yield the records with this key (which only one kind of record has)."""
    for recorded in RECORDINGS.values():
        if recorded["status"] == 200 and recorded["body"].startswith("{"):
            body = json.loads(recorded["body"])
            for row in body.get("results", [body]):
                if key in row and "id" in row:
                    yield row


def recorded_catalog() -> EmbeddedCatalog:
    packages: dict[int, PackageRow] = {row["id"]: package_from_v4(row) for row in recorded_rows("repo_url")}
    grids: dict[int, GridRow] = {row["id"]: grid_from_v4(row) for row in recorded_rows("is_locked")}
    categories: dict[int, CategoryRow] = {
        row["id"]: category_from_v4(row) for row in recorded_rows("show_pypi")
    }
    catalog = EmbeddedCatalog(packages.values(), grids.values(), categories.values())
    for number in range(1, 6000):
        missing = number not in packages and number not in (4, 404)
        if number > 15 and missing and len(catalog.packages) < 5400:
            catalog.insert_package(id=number, title=f"filler {number}", slug=f"filler-{number}")
        if number not in grids and len(catalog.grids) < 440:
            catalog.insert_grid(id=number, title=f"filler {number}", slug=f"filler-{number}")
    catalog.reindex()
    return catalog


@pytest.fixture(scope="module")
def upstream() -> EmbeddedUpstream:
    return EmbeddedUpstream(catalog=recorded_catalog())


async def replay(upstream: EmbeddedUpstream, recorded: Recorded) -> httpx.Response:
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8801") as client:
        client.headers.clear()
        return await client.request(recorded["method"], recorded["path"], headers=recorded["request_headers"])


async def test_every_recorded_request_gets_the_recorded_answer(upstream: EmbeddedUpstream) -> None:
    assert len(RECORDINGS) > 140
    others = dict[str, str]()
    for label, recorded in RECORDINGS.items():
        try:
            await compare(label, recorded, upstream)
        except AssertionError as difference:
            others[label] = str(difference)
    assert others == {}


async def compare(label: str, recorded: Recorded, upstream: EmbeddedUpstream) -> None:
    """Expect that a request gets the answer that was recorded."""
    upstream.faults.state = next((STATES[name] for name in STATES if label.startswith(name)), "up")
    inserted = upstream.catalog.insert_package() if label == "drift-page-2" else None
    answer = await replay(upstream, recorded)
    upstream.faults.state = "up"
    if inserted is not None:
        upstream.catalog.remove_package(inserted)

    assert answer.status_code == recorded["status"]
    is_stand_in = "body_bytes" in recorded
    not_compared = set(OTHER_HEADERS)
    if is_stand_in or label in OTHER_BODIES:
        not_compared.add("content-length")
    theirs = {name.lower(): value for name, value in recorded["response_headers"].items()}
    assert relevant(answer.headers, not_compared) == relevant(theirs, not_compared)
    assert cookie_names(answer.headers) == cookie_names(theirs)

    if is_stand_in:
        assert "embedded upstream" in answer.text
    elif label in OTHER_BODIES:
        assert answer.text != recorded["body"], f"{label} is equal now: take it off the list."
        keys = list(json.loads(recorded["body"])[0])
        assert all(list(result) == keys for result in json.loads(answer.text))
    else:
        assert answer.text == recorded["body"]


def test_the_list_of_other_bodies_names_recordings_only() -> None:
    assert OTHER_BODIES.keys() <= RECORDINGS.keys()


def relevant(headers: Mapping[str, str], not_compared: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in not_compared}


def cookie_names(headers: Mapping[str, str]) -> list[str]:
    return [value.partition("=")[0] for name, value in headers.items() if name == "set-cookie"]
