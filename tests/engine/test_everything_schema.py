"""The engine and Strawberry's execution agree on a schema with everything, the gateway's own being narrower."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache
from typing import Any

import msgspec
import pytest
from graphql import GraphQLError

from engine import AnswerSubtreeCache, ByteBudget, Engine, Fallback
from engine.run_limits import NO_LIMITS
from gateway.document_validation import read_document
from schema import Document
from schema.validated_document import given
from tests.support.numbers_of_examples import operations
from tests.support.operation_texts import Operation
from tests.support.random_operations import Generator
from tests.support.schema_with_everything import PEOPLE, PETS, ROCKS, VALUES, schema
from tests.support.smallest_failing_operation import simplest

OPERATIONS = operations(500)
GENERATOR = Generator(schema._schema, VALUES)
NEVER_ERRORS = {"operation", "introspection", "directive", "extension", "value", "path"}
"""The reasons to fall back that need not mean an error in the answer."""


@cache
def document(text: str) -> Document:
    return read_document(text, schema._schema)


RECORDS: dict[str, list[Any]] = {"Pet": PETS, "Person": PEOPLE, "Stone": ROCKS}


def no_subtrees() -> AnswerSubtreeCache:
    """Return a place for subtrees of the objects that the schema knows."""
    records = {type_: {id(each): each for each in objects} for type_, objects in RECORDS.items()}
    return AnswerSubtreeCache(records, id, ByteBudget(10_000_000))


async def disagreement(
    operation: Operation, engine: Engine, subtrees: AnswerSubtreeCache | None = None, times: int = 1
) -> str | None:
    """Return how the two differ, if they do, when the engine is asked so many times."""
    text = str(operation)
    read = document(text)
    node = read.node
    assert node is not None
    with given(read, NO_LIMITS) as extensions:
        expected = await schema.execute(text, operation.variables, operation_extensions=extensions)
    for _ in range(times):
        try:
            ran = await engine.run(text, node, None, operation.variables, None, subtrees=subtrees)
        except Fallback as error:
            if not expected.errors and error.reason not in NEVER_ERRORS:
                return f"handed over for nothing: {error.reason}"
            continue
        ours, theirs = _shown(ran.errors), _shown(expected.errors)
        if ours != theirs:
            return f"errors: {ours} is not {theirs}"
        data = msgspec.json.encode(expected.data)
        if ran.data != data:
            return f"bytes: {ran.data!r} is not {data!r}"
    return None


def _shown(errors: list[GraphQLError] | None) -> list[object]:
    """Return the errors by their places, with all that a client can see of them."""
    return [
        (error.path, error.locations, error.message, repr(error.original_error), error.extensions)
        for error in sorted(errors or [], key=lambda error: error.path or [])
    ]


async def test_random_operations_are_answered_alike() -> None:
    engine = Engine(schema)
    for seed in range(OPERATIONS):
        operation = GENERATOR.operation(seed)
        errors = document(str(operation)).errors
        assert not errors, f"seed {seed} is not valid: {operation}: {errors}"
        if await disagreement(operation, engine):
            least = await asyncio.to_thread(simplest, operation, _fails)
            pytest.fail(
                f"seed {seed}:\n{least}\n{least.variables}\n{await disagreement(least, Engine(schema))}"
            )
    # Most of them are answered, so that this test says something.
    assert engine.answered > OPERATIONS * 0.4, engine.fallbacks
    assert Counter(engine.fallbacks).keys() >= {"error", "value"}


async def test_random_operations_are_answered_alike_with_subtrees_of_earlier_answers() -> None:
    engine, subtrees = Engine(schema), no_subtrees()
    for seed in range(0, OPERATIONS, 3):
        operation = GENERATOR.operation(seed)
        how = await disagreement(operation, engine, subtrees, times=3)
        assert how is None, f"seed {seed}:\n{operation}\n{operation.variables}\n{how}"
    assert subtrees.found > OPERATIONS / 20


def _fails(cut: Operation) -> bool:
    if document(str(cut)).errors:
        return False
    return asyncio.run(disagreement(cut, Engine(schema))) is not None
