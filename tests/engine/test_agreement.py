"""The engine and Strawberry's execution agree on random operations: the same bytes, or the same errors."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from gateway.document_validation import read_document
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.comparable_answers import comparable
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import GENERATOR, STATES
from tests.support.operation_texts import Operation
from tests.support.smallest_failing_operation import simplest
from tests.support.upstream_without_http import MadeSource, made_records, whole_records

OPERATIONS = int(os.environ.get("AGREEMENT_OPERATIONS", "2000")) * 3 // 4
PARTS = 8

RECORDS, WHOLE = made_records(), whole_records()
OUTCOMES: Counter[tuple[bool, str | None]] = Counter()
"""Operations by whether they have errors, and why the engine handed them over."""


async def disagreement(operation: Operation, state: str) -> str | None:
    """Return how the two differ, if they do."""
    request = GraphQLRequest(str(operation), operation.variables)
    records = WHOLE if state == "all known, nothing missing" else RECORDS
    ours = MadeSource(records, **STATES[state])
    gateway = gateway_over(ours.as_source())
    assert gateway.engine is not None
    answer = await gateway.execute(request)
    theirs = MadeSource(records, **STATES[state])
    expected = await gateway_over(theirs.as_source(), use_engine=False).execute(request)
    assert b"GRAPHQL_VALIDATION_FAILED" not in expected.body, f"not valid: {operation}: {expected.body!r}"
    if comparable(answer.body) != comparable(expected.body):
        return f"bytes: {answer.body!r} is not {expected.body!r}"
    if max(Counter(ours.batcher.asked).values(), default=0) > 1:
        return f"asked twice: {ours.batcher.asked}"
    if gateway.engine.fallbacks and not expected.failed and "__schema" not in request.query:
        return f"handed over for nothing: {gateway.engine.fallbacks}"
    OUTCOMES[expected.failed, next(iter(gateway.engine.fallbacks), None)] += 1
    return None


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
