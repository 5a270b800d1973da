"""An answer has a limit in bytes, which holds while it is made: by both executions, whole and in parts."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from tests.support.answers_in_parts import parts_of
from tests.support.gateway_in_process import gateway_over

SHARED = """{ grids(first: 1, orderBy: PACKAGE_COUNT_DESC) { nodes { packages { grids { packages { grids { packages {
    commitsOver52 participants } } } } } } } }"""
"""Grids and packages that lead to each other: some hundred records, and 700 MB if each is written where it stands."""
TITLES = "{ packages(first: 100) { nodes { title grids { title packages { title } } } } }"
SOME = "{ packages(first: 100) { nodes { title } } }"
DEFERRED = "{ packages(first: 50) { nodes { title ... @defer { grids { packages { title slug } } } } } }"


@pytest.fixture
def known(known_source: CatalogSource) -> CatalogSource:
    return known_source


async def answer(
    source: CatalogSource, query: str, most: int, use_engine: bool
) -> tuple[bytes, dict[str, Any]]:
    gateway = gateway_over(source, use_engine=use_engine, limit_answer_bytes=most, limit_seconds=60)
    answer = await gateway.execute(GraphQLRequest(query))
    return answer.body, answer.decoded()


@pytest.mark.parametrize("query", [TITLES, SOME])
async def test_an_answer_may_have_as_many_bytes_as_the_limit_and_not_one_more(
    known: CatalogSource, query: str, use_engine: bool
) -> None:
    body, told = await answer(known, query, 10_000_000, use_engine)
    assert "errors" not in told
    assert (await answer(known, query, len(body), use_engine))[0] == body
    _, refused = await answer(known, query, len(body) - 1, use_engine)
    assert refused.keys() == {"errors"}
    (error,) = refused["errors"]
    least = error["extensions"].pop("value")
    assert len(body) > least - 20
    assert error == {
        "message": f"The answer would have {least:,} bytes or more; an answer can have up to {len(body) - 1:,}.",
        "extensions": {"code": "OPERATION_TOO_COMPLEX", "limit": "answer_bytes", "max": len(body) - 1},
    }


async def test_an_answer_that_is_far_too_large_is_never_built(known: CatalogSource) -> None:
    gateway = gateway_over(
        known, limit_values=10**12, limit_work=10**12
    )  # which would refuse it before it runs
    await gateway.execute(GraphQLRequest(SOME))
    gc.collect()
    tracemalloc.start()
    try:
        refused = (await gateway.execute(GraphQLRequest(SHARED))).decoded()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused["errors"][0]["extensions"]["limit"] == "answer_bytes"
    assert gateway.refused == {"answer_bytes": 1}
    assert peak < 30_000_000, peak


async def test_errors_count_as_bytes_of_the_answer(known: CatalogSource, use_engine: bool) -> None:
    bad = [f'a{place}: package(slug: "") {{ id }}' for place in range(50)]
    query = f"{{ {' '.join(bad)} }}"
    body, told = await answer(known, query, 10_000_000, use_engine)
    assert len(told["errors"]) == 50
    _, refused = await answer(known, query, len(body) - 1, use_engine)
    assert [error["extensions"]["limit"] for error in refused["errors"]] == ["answer_bytes"]


async def test_the_parts_of_an_answer_count_together(known: CatalogSource) -> None:
    gateway = gateway_over(known, limit_answer_bytes=20_000)
    sent = [part async for part in parts_of(gateway, DEFERRED)]
    assert sent[0]["hasNext"] is True
    assert sent[-1]["hasNext"] is False
    failed = [done for part in sent for done in part.get("completed", []) if "errors" in done]
    assert failed
    for done in failed:
        assert [error["extensions"]["limit"] for error in done["errors"]] == ["answer_bytes"]
    pending = {each["id"] for part in sent for each in part.get("pending", [])}
    assert pending == {done["id"] for part in sent for done in part.get("completed", [])}
