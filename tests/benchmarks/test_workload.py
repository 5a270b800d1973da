"""Tests the queries of `make bench`: our gateway answers them, and the peers' schema has what is asked of them."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from benchmarks.growth import ANSWERS, document
from benchmarks.side_by_side.answers import right_answers
from benchmarks.side_by_side.workload import NAMES, NONCE, BenchmarkQuery, Dialect, queries
from upstream.embedded import EmbeddedCatalog

PEERS = Path(__file__).parent.parent.parent / "benchmarks" / "peers"


@pytest.fixture(scope="module")
def asked(whole_embedded_catalog: EmbeddedCatalog) -> dict[str, BenchmarkQuery]:
    return queries(whole_embedded_catalog)


@pytest.fixture(scope="module")
def bodies(
    asked: dict[str, BenchmarkQuery], whole_embedded_catalog: EmbeddedCatalog
) -> dict[str, list[bytes]]:
    """Return what our gateway answers to the queries, and to those of growing answers by their numbers of packages."""
    grown = [BenchmarkQuery(str(packages), "", {"ours": document(packages)}, [{}]) for packages in ANSWERS]
    return asyncio.run(right_answers([*asked.values(), *grown], whole_embedded_catalog))


def joined(catalog: EmbeddedCatalog, id: int) -> dict[str, Any]:
    """Return the canonical query's answer, straight from the rows, with relations by title and id."""
    package = catalog.packages[id]
    grids = sorted(
        (catalog.grids[key] for key in package.grids), key=lambda grid: (grid.title.casefold(), grid.id)
    )

    def category(of: int) -> dict[str, str]:
        return {"title": catalog.categories[of].title}

    return {
        "title": package.title,
        "slug": package.slug,
        "category": category(package.category),
        "grids": [
            {
                "title": grid.title,
                "packages": [
                    {
                        "title": member.title,
                        "slug": member.slug,
                        "repoWatchers": member.repo_watchers,
                        "pypiVersion": member.pypi_version,
                        "category": category(member.category),
                    }
                    for member in sorted(
                        map(catalog.packages.__getitem__, grid.packages),
                        key=lambda one: (one.title.casefold(), one.id),
                    )
                ],
            }
            for grid in grids
        ],
    }


def text_of(query: BenchmarkQuery, dialect: Dialect) -> str:
    text, _variables = query.asked(dialect, query.variables[0])
    return text


def test_our_gateway_answers_them_all_as_the_rows_say(
    asked: dict[str, BenchmarkQuery],
    bodies: dict[str, list[bytes]],
    whole_embedded_catalog: EmbeddedCatalog,
) -> None:
    assert list(asked) == NAMES
    data = {name: [json.loads(body)["data"] for body in bodies[name]] for name in NAMES}
    assert [len(data[name]) for name in NAMES] == [1, 1, 1, 200, 200, 1, 5000, 1]

    (canonical,) = asked["Q2"].variables
    assert data["Q2"] == [{"package": joined(whole_embedded_catalog, int(str(canonical["id"])))}]
    for query in ("Q4", "Q5"):
        ids = [int(str(variables["id"])) for variables in asked[query].variables]
        assert data[query] == [{"package": joined(whole_embedded_catalog, id)} for id in ids]

    one = data["Q1"][0]["package"]
    assert one["id"] == canonical["id"]
    assert one["title"] == data["Q2"][0]["package"]["title"]
    page = data["Q3"][0]["packages"]["nodes"]
    assert len(page) == 20
    found = sum(len(grid["packages"]) for package in page for grid in package["grids"])
    assert f"{found:,} packages" in asked["Q3"].meaning
    assert found > 1000
    assert data["Q7"][0]["package"]["id"] == max(whole_embedded_catalog.packages)
    assert len({answer["package"]["id"] for answer in data["Q7"]}) == 5000
    assert data["Q8"][0]["package"] == {NONCE: one["id"]} | {key: one[key] for key in one if key != "id"}
    stars = [package["repoWatchers"] for package in data["Q6"][0]["packages"]["nodes"]]
    assert len(stars) == 20
    assert stars == sorted(stars, reverse=True)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Q6"])
def test_the_peers_schema_has_what_they_are_asked(name: str, asked: dict[str, BenchmarkQuery]) -> None:
    text = re.search(
        r"typeDefs = /\* GraphQL \*/ `(.*?)`", (PEERS / "node" / "graph.js").read_text(), re.DOTALL
    )
    assert text
    assert validate(build_schema(text[1]), parse(text_of(asked[name], "peers"))) == []


def test_growing_answers_have_as_many_packages_as_they_should(bodies: dict[str, list[bytes]]) -> None:
    for packages in ANSWERS:
        (body,) = bodies[str(packages)]
        pages = json.loads(body)["data"].values()
        assert sum(len(page["nodes"]) for page in pages) == packages


def test_every_request_of_q5_and_q8_has_a_place_for_the_nonce_and_others_have_none(
    asked: dict[str, BenchmarkQuery],
) -> None:
    for name, query in asked.items():
        nonces = [json.dumps(query.asked("ours", variables)).count(NONCE) for variables in query.variables]
        assert set(nonces) == ({1} if name in ("Q5", "Q8") else {0})
        assert query.executed == (name in ("Q5", "Q8"))
