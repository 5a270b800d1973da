"""Tests the queries of `make bench`: our gateway answers them, and the peers' schema has what is asked of them."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from benchmarks.growth import ANSWERS, document
from benchmarks.side_by_side.answers import right_answers
from benchmarks.side_by_side.workload import NAMES, NONCE, BenchmarkQuery, Dialect, queries
from tests.support.numbers_of_examples import share_of
from upstream.embedded import EmbeddedCatalog

PEERS = Path(__file__).parent.parent.parent / "benchmarks" / "peers"


@pytest.fixture(scope="module")
def asked(whole_embedded_catalog: EmbeddedCatalog) -> dict[str, BenchmarkQuery]:
    return queries(whole_embedded_catalog)


@pytest.fixture(scope="module")
def tried(asked: dict[str, BenchmarkQuery]) -> dict[str, BenchmarkQuery]:
    """Return the queries with those of their variables that this run tries."""
    return {name: replace(query, variables=share_of(query.variables)) for name, query in asked.items()}


@pytest.fixture(scope="module")
def bodies(
    tried: dict[str, BenchmarkQuery], whole_embedded_catalog: EmbeddedCatalog
) -> dict[str, list[bytes]]:
    """Return what our gateway answers to the queries, and to those of growing answers by their numbers of packages."""
    grown = [BenchmarkQuery(str(packages), "", {"ours": document(packages)}, [{}]) for packages in ANSWERS]
    return asyncio.run(right_answers([*tried.values(), *grown], whole_embedded_catalog))


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


def ids(query: BenchmarkQuery) -> list[int]:
    return [int(str(variables["id"])) for variables in query.variables]


def test_they_have_as_many_variables_as_they_should(asked: dict[str, BenchmarkQuery]) -> None:
    assert list(asked) == NAMES
    assert [len(query.variables) for query in asked.values()] == [1, 1, 1, 200, 200, 1, 5000, 1]
    assert len(set(ids(asked["Q7"]))) == 5000


def test_our_gateway_answers_them_all_as_the_rows_say(
    tried: dict[str, BenchmarkQuery],
    bodies: dict[str, list[bytes]],
    whole_embedded_catalog: EmbeddedCatalog,
) -> None:
    data = {name: [json.loads(body)["data"] for body in bodies[name]] for name in NAMES}
    assert [len(data[name]) for name in NAMES] == [len(query.variables) for query in tried.values()]

    (canonical,) = ids(tried["Q2"])
    for query in ("Q2", "Q4", "Q5"):
        assert data[query] == [{"package": joined(whole_embedded_catalog, id)} for id in ids(tried[query])]

    one = data["Q1"][0]["package"]
    assert one["id"] == canonical
    assert one["title"] == data["Q2"][0]["package"]["title"]
    page = data["Q3"][0]["packages"]["nodes"]
    assert len(page) == 20
    found = sum(len(grid["packages"]) for package in page for grid in package["grids"])
    assert f"{found:,} packages" in tried["Q3"].meaning
    assert found > 1000
    assert data["Q7"][0]["package"]["id"] == max(whole_embedded_catalog.packages)
    assert [answer["package"]["id"] for answer in data["Q7"]] == ids(tried["Q7"])
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
