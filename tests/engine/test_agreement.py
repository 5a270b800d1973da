"""The engine and Strawberry's execution agree on random operations: the same bytes, or the same errors.

The engine keeps no subtrees of answers, or has those of all operations before.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from catalog import Catalog
from gateway.document_validation import read_document
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from schema import schema
from tests.support.comparable_answers import comparable
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import FIXED_FIELDS, GENERATOR, STATES, VALUES
from tests.support.numbers_of_examples import operations
from tests.support.operation_texts import Operation
from tests.support.random_operations import Generator
from tests.support.smallest_failing_operation import simplest
from tests.support.upstream_without_http import MadeSource, made_records, whole_records
from upstream.client import Record

OPERATIONS = operations(1500)
PARTS = 8

RECORDS, WHOLE = made_records(), whole_records()
OTHERS = made_records(seed=2)
"""The records of a catalog that replaces the one of ``RECORDS``."""
GENERATOR_OF_SUBTREES = Generator(schema._schema, VALUES, favourites=dict.fromkeys(FIXED_FIELDS, 30))
"""Makes operations most of whose fields say the same of a record in every request."""
OUTCOMES: Counter[tuple[bool, str | None]] = Counter()
"""Operations by whether they have errors, and why the engine handed them over."""


class KeepingGateway:
    """A gateway that keeps subtrees of answers from operation to operation, and the catalogs that it answers from."""

    def __init__(self) -> None:
        self.source = MadeSource(RECORDS)
        self.gateway = gateway_over(self.source.as_source())
        self.catalogs: dict[str, Catalog] = {}

    async def prepared(self, request: GraphQLRequest, source: MadeSource) -> PreparedRequest:
        """Prepare a request, which is answered from this source from now on."""
        self.source.become(source)
        if source.latest is not None:
            self.catalogs[source.latest.catalog.version] = source.latest.catalog
        return await self.gateway.prepare(request, source.current())

    @property
    def found(self) -> int:
        """Return how many subtrees were found."""
        return sum(self.gateway.subtrees.of(catalog).found for catalog in self.catalogs.values())


async def disagreement(operation: Operation, state: str) -> str | None:
    """Return how the engine, which keeps nothing, and Strawberry's execution differ, if they do."""
    request = GraphQLRequest(str(operation), operation.variables)
    records = WHOLE if state == "all known, nothing missing" else RECORDS
    ours = MadeSource(records, **STATES[state])
    gateway = gateway_over(ours.as_source(), response_cache_bytes=0)
    assert gateway.engine is not None
    prepared = await gateway.prepare(request, ours.current())
    answer = await gateway.run(prepared)
    expected = await by_strawberry(prepared, records, state)
    assert b"GRAPHQL_VALIDATION_FAILED" not in expected.body, f"not valid: {operation}: {expected.body!r}"
    assert b"INTERNAL_SERVER_ERROR" not in expected.body, f"failed: {operation}: {expected.body!r}"
    if comparable(answer.body) != comparable(expected.body):
        return f"bytes: {answer.body!r} is not {expected.body!r}"
    if max(Counter(ours.batcher.asked).values(), default=0) > 1:
        return f"asked twice: {ours.batcher.asked}"
    if gateway.engine.fallbacks and not expected.failed and "__schema" not in request.query:
        return f"handed over for nothing: {gateway.engine.fallbacks}"
    OUTCOMES[expected.failed, next(iter(gateway.engine.fallbacks), None)] += 1
    return None


async def by_strawberry(prepared: PreparedRequest, records: list[Record], state: str) -> GraphQLAnswer:
    source = MadeSource(records, **STATES[state])
    return await gateway_over(source.as_source(), use_engine=False).run(prepared)


async def disagreement_with_subtrees(operation: Operation, state: str, keeping: KeepingGateway) -> str | None:
    """Return how an answer with subtrees differs from Strawberry's, before or after the catalog is replaced."""
    request = GraphQLRequest(str(operation), operation.variables)
    catalogs = [RECORDS, OTHERS]
    expected: dict[int, bytes] = {}
    for number in (0, 0, 0, 1, 0):
        prepared = await keeping.prepared(request, MadeSource(catalogs[number], **STATES[state]))
        body = (await keeping.gateway.run(prepared)).body
        if number not in expected:
            expected[number] = (await by_strawberry(prepared, catalogs[number], state)).body
        if comparable(body) != comparable(expected[number]):
            return f"bytes: {body!r} is not {expected[number]!r}"
    return None


@pytest.mark.parametrize("part", range(PARTS))
async def test_random_operations_are_answered_alike_with_subtrees_of_earlier_answers(part: int) -> None:
    states, keeping = list(STATES), KeepingGateway()
    for seed in range(part, OPERATIONS // 3, PARTS):
        operation, state = GENERATOR_OF_SUBTREES.operation(seed), states[seed // PARTS % len(states)]
        how = await disagreement_with_subtrees(operation, state, keeping)
        assert how is None, f"seed {seed}, {state}:\n{operation}\n{operation.variables}\n{how}"
    # A dozen operations may happen to have no subtree twice.
    assert keeping.found > 0 or OPERATIONS < 1000


@pytest.mark.parametrize("part", range(PARTS))
async def test_random_operations_are_answered_alike(part: int) -> None:
    states = list(STATES)
    ran: Counter[str] = Counter()
    for seed in range(part, OPERATIONS, PARTS):
        operation, state = GENERATOR.operation(seed), states[seed // PARTS % len(states)]
        if await disagreement(operation, state):
            await _report(operation, state, seed)
        ran[state] += 1
    assert len(ran) == len(STATES)
    failed = {reason: count for (failed, reason), count in OUTCOMES.items() if failed}
    assert failed[None] > sum(failed.values()) * 0.5, failed


async def _report(operation: Operation, state: str, seed: int) -> None:
    def fails(cut: Operation) -> bool:
        if read_document(str(cut), schema._schema).errors:
            return False
        return asyncio.run(disagreement(cut, state)) is not None

    least = await asyncio.to_thread(simplest, operation, fails)
    how = await disagreement(least, state)
    pytest.fail(f"seed {seed}, {state}:\n{least}\n{least.variables}\n{how}")
