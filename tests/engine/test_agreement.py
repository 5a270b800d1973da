"""The engine and Strawberry's execution agree on random operations: the same bytes, or the same errors."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

import pytest
from strawberry import relay

from gateway.document_validation import read_document
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.comparable_answers import comparable
from tests.support.gateway_in_process import gateway_over
from tests.support.operation_texts import Operation
from tests.support.random_operations import Generator
from tests.support.smallest_failing_operation import simplest
from tests.support.upstream_without_http import MadeSource, made_records, whole_records

OPERATIONS = int(os.environ.get("AGREEMENT_OPERATIONS", "2000")) * 3 // 4
PARTS = 8

RECORDS, WHOLE = made_records(), whole_records()
STATES: dict[str, dict[str, Any]] = {
    "all known, nothing missing": {"known": 1},
    "all known": {"known": 1},
    "half known": {"known": 0.5},
    "nothing known": {"known": None},
    "half known, some fail": {"known": 0.5, "failing": 0.1},
    "nothing known, some fail": {"known": None, "failing": 0.1},
}
SLUGS = ["slug-1", "slug-7", "grid-2", "grid-3", "category-1", "category-2", "", "no such", "7"]
IDS = [relay.to_base64(kind, id) for kind in ("Package", "Grid", "Category") for id in (1, 2, 3, 5)]
IDS += [relay.to_base64("Contributor", login) for login in ("a", "ü", "nobody")]
VALUES: dict[str, list[Any]] = {
    "package.slug": [f"slug-{id}" for id in range(1, 40)],
    "grid.slug": [f"grid-{id}" for id in range(1, 12)],
    "slug": SLUGS,
    "id": [*IDS, "no id"],
    "databaseId": [1, 2, 3, 5, 7, 99, -1],
    "first": [0, 1, 3, 20, 101],
    "last": [1, 3, -1],
    "after": ["b2Zmc2V0OjI=", "x"],
    "before": ["b2Zmc2V0OjU="],
    "slugs": SLUGS,
    "login": ["a", "A", "ü", "nobody"],
    "representations": [
        {"__typename": "Package", "slug": "slug-3"},
        {"__typename": "Package", "databaseId": 7},
        {"__typename": "Package", "id": IDS[1]},
        {"__typename": "Package", "pypiName": "Name_1"},
        {"__typename": "Package", "repoUrl": "no address"},
        {"__typename": "Grid", "slug": "grid-2"},
        {"__typename": "Grid", "databaseId": 99},
        {"__typename": "Category", "databaseId": 2},
        {"__typename": "Category", "slug": "category-1"},
        {"__typename": "Contributor", "login": "A"},
        {"__typename": "Package"},
    ],
    "query": ["django", "email OR django", "no such word", " ", "x" * 201],
    "DateTimeRange.after": ["2012-01-01T00:00:00+00:00", "2020-06-01T12:00:00Z"],
    "DateTimeRange.before": ["2022-01-01T00:00:00+00:00", "2011-06-01T12:00:00Z"],
    "String": ["x", 'a"b\\c\n☃'],
    "Int": [0, 1, 2],
    "ID": IDS,
    "Boolean": [True, False],
    "Float": [0.5],
}
GENERATOR = Generator(schema._schema, VALUES)
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
