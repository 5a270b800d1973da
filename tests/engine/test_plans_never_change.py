"""A compiled plan stays as it is, whatever runs on it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping

import msgspec
import pytest
from graphql import parse

from engine import Engine
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.gateway_in_process import gateway_over
from tests.support.schema_with_everything import schema as everything
from tests.support.upstream_without_http import MadeSource, whole_records

OPERATIONS = [
    # Relations alone, which are answered at once; with a resolver below, which keeps them to the levels.
    "{ grids(first: 9) { nodes { title packages { title grids { title } } } } }",
    "{ grids(first: 9) { nodes { title packages { title grids { databaseId } } } } }",
    "{ packages(first: 9) { nodes { category { slug } again: category { title } grids { packages { slug } } } } }",
    '{ nodes(ids: ["UGFja2FnZTox", "R3JpZDox"]) { id ... on Package { grids { title } } ... on Grid { title } } }',
]


def state(value: object) -> object:
    """Return all that is reached from a part of a plan through the engine's own objects, told so that it can be
    compared."""
    if isinstance(value, Mapping):
        return {id(key): state(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [state(each) for each in value]
    if type(value).__module__.startswith("engine."):
        if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
        elif isinstance(value, msgspec.Struct):
            names = list(value.__struct_fields__)
        else:
            names = list(vars(value))
        return type(value).__name__, {name: state(getattr(value, name)) for name in names}
    return value if isinstance(value, str | int | None) else id(value)


@pytest.mark.parametrize("text", OPERATIONS)
@pytest.mark.parametrize("known", [1, 0.5, None], ids=["all known", "half known", "nothing known"])
async def test_a_plan_is_the_same_after_it_ran(text: str, known: float | None) -> None:
    gateway = gateway_over(MadeSource(whole_records(), known=known).as_source())
    engine = gateway.engine
    assert engine is not None
    operation = engine.operation(text, parse(text), None)
    plan = operation.plan(operation.coerced(None))
    before = state(plan)
    for _ in range(2):
        assert "errors" not in (await gateway.execute(GraphQLRequest(text))).decoded()
    assert engine.answered == 2
    assert operation.plan(operation.coerced(None)) is plan
    assert state(plan) == before


async def test_a_plan_over_abstract_types_is_the_same_after_it_ran() -> None:
    text = "{ everything { __typename ... on Named { name } } nested { name } }"
    engine = Engine(everything)
    operation = engine.operation(text, parse(text), None)
    plan = operation.plan(operation.coerced(None))
    before = state(plan)
    for _ in range(2):
        await engine.run(text, parse(text), None, None, None)
    assert state(plan) == before


async def test_a_plan_is_compiled_whole_before_it_runs() -> None:
    """No node of it waits for the first object: an empty catalog leads nowhere."""
    gateway = gateway_over(MadeSource([]).as_source())
    engine = gateway.engine
    assert engine is not None
    await gateway.execute(GraphQLRequest(OPERATIONS[0]))
    found = await gateway.documents.find_aside(OPERATIONS[0])
    assert found.document.node is not None
    operation = engine.operation(found.text, found.document.node, None)
    assert operation.fields == 7  # grids, nodes, title and packages, title and grids, title


async def test_a_fragment_in_many_places_is_compiled_once() -> None:
    spreads = " ".join(f"p{number}: package(databaseId: {number}) {{ ...F }}" for number in range(50))
    text = f"{{ {spreads} }} fragment F on Package {{ grids {{ title slug }} }}"
    operation = Engine(schema).operation(text, parse(text), None)
    assert operation.plan(operation.coerced(None)).fields == 50 + 50 + 2


async def test_compiling_a_large_document_lets_others_go_on() -> None:
    packages = " ".join(
        f"p{number}: package(databaseId: {number}) {{ t{number}: title grids {{ t{number}: title }} }}"
        for number in range(400)
    )
    text = f"{{ {packages} }}"
    document, turns = parse(text), 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    engine = Engine(schema)
    operation = engine.operation(text, document, None)
    plan = await engine.compiled(operation, operation.coerced(None))
    counting.cancel()
    assert plan.fields == 400 + 400 * 2 + 400
    assert turns > 3
