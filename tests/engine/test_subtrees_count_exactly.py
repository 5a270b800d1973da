"""An answer made of kept subtrees counts as one that is made anew: in the receipt, in the work, and at each limit."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import pytest

from engine import Engine, RunLimits, Stopped
from gateway import Gateway
from gateway.cost import CostLimits
from gateway.engine_or_strawberry import OperationRunner
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.answer_subtrees import subtrees_of
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import FIXED_FIELDS, VALUES
from tests.support.numbers_of_examples import operations, share_of
from tests.support.random_operations import Generator
from tests.support.upstream_without_http import MadeSource, whole_records
from upstream.client import Receipt, recording

RECORDS = whole_records()
GENERATOR = Generator(schema._schema, VALUES, favourites=dict.fromkeys(FIXED_FIELDS, 30), relations=0.8)
OPERATIONS = [
    # Large enough to be made in pieces.
    "{ packages(first: 40) { nodes { title grids { title packages { title grids { title packages { title } } } } } } }",
    # Several grids with packages in common, whose categories are the same few.
    "{ grids(first: 9) { nodes { title packages { title category { slug } } } } }",
    "{ grids(first: 9) { nodes { packages { title grids { title packages { databaseId } } } } } }",
    "{ packages(first: 20) { nodes { grids { slug packages { slug } } category { title slug } } } }",
    "{ packages(first: 20) { nodes { id pypi { name } repository { host } commitActivity { total52 } } } }",
    '{ package(slug: "slug-8") { grids { packages { commitActivity { trend } grids { id } } } } }',
    '{ a: grid(slug: "grid-1") { packages { id } } b: grid(slug: "grid-4") { packages { id } grid: title } }',
    "{ packages(first: 9) { totalCount pageInfo { endCursor } edges { cursor node { grids { packages { id } } } } } }",
    "{ a: grids(first: 5) { nodes { title } } b: grids(first: 5) { edges { node { packages { category { id } } } } } }",
    "{ contributors(first: 9) { nodes { login packageCount } pageInfo { hasNextPage } } }",
    "{ packages(first: 9, filter: {stars: {min: 1}}) { nodes { id category { slug } grids { title } } } }",
    '{ nodes(ids: ["UGFja2FnZTox", "R3JpZDox"]) { ... on Package { grids { id } } ... on Grid { packages { id } } } }',
]


def gateway_of(**settings: Any) -> Gateway:
    return gateway_over(MadeSource(RECORDS).as_source(), **settings)


async def counts(gateway: Gateway, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says of itself in ``extensions``, with its data."""
    told = (await gateway.execute(GraphQLRequest(text, variables, receipt=True))).decoded()
    extensions = told.get("extensions", {})
    return {name: extensions.get(name) for name in ("work", "upstream", "engine")} | {
        "data": told.get("data")
    }


@pytest.mark.parametrize("text", OPERATIONS)
async def test_records_and_work_count_the_same_with_subtrees(text: str) -> None:
    without = await counts(gateway_of(response_cache_bytes=0), text, {})
    assert without["work"]["steps"] > 10
    gateway = gateway_of()
    for _ in range(4):
        assert await counts(gateway, text, {}) == without
    assert subtrees_of(gateway).found > 0


async def test_records_and_work_of_random_operations_count_the_same_with_subtrees() -> None:
    """One gateway answers all of them, so that the subtrees of one are found by the next."""
    number, keeping, without = operations(150), gateway_of(), gateway_of(response_cache_bytes=0)
    for seed in range(number):
        operation = GENERATOR.operation(seed)
        text, variables = str(operation), operation.variables
        expected = await counts(without, text, variables)
        for _ in range(3):
            assert await counts(keeping, text, variables) == expected, f"seed {seed}:\n{text}\n{variables}"
    assert subtrees_of(keeping).found > number * 2 / 3


@pytest.mark.parametrize("text", OPERATIONS)
async def test_too_much_work_is_refused_alike_with_subtrees(text: str) -> None:
    keeps_nothing = gateway_of(response_cache_bytes=0)
    steps = (await counts(keeps_nothing, text, {}))["work"]["steps"]
    gateway = await keeping_subtrees_of(text)
    answered = await outcome(gateway, text, work=steps)
    assert isinstance(answered, bytes)
    assert subtrees_of(gateway).found > 0
    for most in share_of((steps - 1, steps // 2, steps // 4)):
        without = await outcome(keeps_nothing, text, work=most)
        assert "too much work" in str(without)
        assert await outcome(gateway, text, work=most) == without
        new = gateway_of()
        assert [await outcome(new, text, work=most) for _ in range(4)] == [without] * 4


@pytest.mark.parametrize("text", OPERATIONS)
async def test_too_many_bytes_are_refused_alike_with_subtrees(text: str) -> None:
    keeps_nothing = gateway_of(response_cache_bytes=0)
    size = len((await keeps_nothing.execute(GraphQLRequest(text))).body)
    gateway = await keeping_subtrees_of(text)
    answered = await outcome(gateway, text, answer_bytes=size)
    assert isinstance(answered, bytes)
    assert subtrees_of(gateway).found > 0
    for most in (size - 1, size // 2):
        without = await outcome(keeps_nothing, text, answer_bytes=most)
        assert "The answer would have" in str(without)
        assert await outcome(gateway, text, answer_bytes=most) == without
        new = gateway_of()
        assert [await outcome(new, text, answer_bytes=most) for _ in range(4)] == [without] * 4


async def keeping_subtrees_of(text: str) -> Gateway:
    gateway = gateway_of()
    for _ in range(2):
        await gateway.execute(GraphQLRequest(text))
    assert len(subtrees_of(gateway)) > 0
    return gateway


@cache
def engine_for(answer_bytes: int) -> Engine:
    """Return the engine for answers of this size. Its plans stay as they are, and subtrees are the gateway's."""
    return Engine(schema, answer_bytes)


async def outcome(
    gateway: Gateway, text: str, *, work: int = sys.maxsize, answer_bytes: int = sys.maxsize
) -> bytes | str:
    """Return the answer with other limits than the gateway's, but its subtrees; or why it was stopped."""
    limits = RunLimits(answer_bytes, 60)
    engine = engine_for(answer_bytes)
    read = gateway.documents.read_aside
    cost_limits = CostLimits(sys.maxsize, work, answer_bytes, 60)
    runner = OperationRunner(
        gateway.source,
        read,
        engine,
        gateway.subtrees,
        gateway.router,
        cost_limits,
        limits,
        lambda _prepared, _steps: None,
    )
    snapshot, receipt = gateway.source.latest, Receipt()
    prepared = await gateway.prepare(GraphQLRequest(text), snapshot)
    try:
        with recording(receipt):
            return (await runner.answer(prepared, snapshot, receipt)).body
    except Stopped as stopped:
        return str(stopped)
