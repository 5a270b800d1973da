"""Tests the main job: a package, its grids and their packages, on real input, counted exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from schema import sdl
from upstream.client.v4_records import id_from_link
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault
from upstream.embedded.recorded_packages import SEED_IDS, seed_record
from web.pages.graphiql import CANONICAL

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

SEED_QUERY = """
query($id: Int) { package(databaseId: $id) {
  databaseId title slug category { databaseId } grids { databaseId } lastUpdated lastFetched repoUrl
  pypiVersion created modified repoForks repoDescription pypiUrl documentationUrl repoWatchers
  commitsOver52 participants
} }
"""


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize("seed", SEED_IDS)
async def test_every_field_of_a_seed_equals_the_seeds_own_value(ask: Ask, seed: int) -> None:
    body = await ask(SEED_QUERY, id=seed)
    assert "errors" not in body
    expected: dict[str, Any] = {camel(name): value for name, value in seed_record(seed).items()}
    expected["databaseId"] = expected.pop("id")
    expected["category"] = {"databaseId": id_from_link(expected["category"])}
    expected["grids"] = [{"databaseId": id_from_link(link)} for link in expected["grids"]]
    assert body["data"]["package"] == expected


def test_every_field_of_v4_is_in_the_schema() -> None:
    text = sdl("plain")
    of_package = text[text.index("type Package implements Node {") :].partition("\n}")[0]
    assert all(f"  {camel(name)}: " in of_package for name in seed_record(1599))


async def test_the_canonical_query_answers_in_full(ask: Ask, embedded: EmbeddedUpstream) -> None:
    body = await ask(CANONICAL.read_text())
    assert "errors" not in body
    package = body["data"]["package"]
    assert (package["databaseId"], package["title"]) == (1442, "django-cacheback")
    assert package["category"] == {"title": "Other", "slug": "other"}
    (grid,) = package["grids"]
    assert grid["slug"] == "caching"
    rows = [embedded.catalog.packages[id] for id in embedded.catalog.grids[39].packages]
    assert sorted(each["slug"] for each in grid["packages"]) == sorted(row.slug for row in rows)
    assert all(each["category"]["title"] for each in grid["packages"])


async def test_the_canonical_query_takes_three_rounds_and_asks_nothing_twice(
    ask: Ask, embedded: EmbeddedUpstream
) -> None:
    body = await ask(CANONICAL.read_text(), receipt=True)
    members = embedded.catalog.grids[39].packages
    assert 1442 in members
    # The package; its grid and the categories; the other packages of the grid.
    assert embedded.requests.total == 1 + 2 + len(members) - 1
    assert max(embedded.requests.by_target.values()) == 1
    assert embedded.requests.max_concurrency <= 8
    upstream = body["extensions"]["upstream"]
    assert upstream["requests"] == embedded.requests.total
    assert upstream["requestsByKind"] == {"package": len(members), "grid": 1, "categories page": 1}
    assert upstream["rounds"] == 3
    assert upstream["bytes"] == embedded.requests.bytes
    assert upstream["recordsFromMemory"] == 1


async def test_a_missing_package_is_null_without_an_error(ask: Ask) -> None:
    assert await ask('{ package(slug: "nope") { title } }') == {"data": {"package": None}}
    assert await ask("{ package(databaseId: 999999) { title } }") == {"data": {"package": None}}


async def test_a_grid_whose_one_package_fails_has_one_null_and_one_error(
    ask: Ask, embedded: EmbeddedUpstream
) -> None:
    last = len(embedded.catalog.grids[15].packages) - 1
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    body = await ask('{ grid(slug: "email") { packages { databaseId } } }')
    packages = body["data"]["grid"]["packages"]
    assert packages[last] is None
    assert all(packages[:last])
    assert body["errors"] == [
        {
            "message": "Upstream answered /packages/1599/ with status 500.",
            "locations": [{"line": 1, "column": 25}],
            "path": ["grid", "packages", last],
            "extensions": {"code": "UPSTREAM_UNAVAILABLE"},
        }
    ]
