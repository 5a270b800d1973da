"""A document that was found by the shape of its text is answered as if its text had been read whole."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from graphql import GraphQLError

from engine import Engine, Fallback, Ran
from gateway.document_shapes import shaped
from gateway.document_validation import read_document
from gateway.error_positions import located_in
from gateway.gateway import Gateway
from gateway.literal_variables import shaped_document
from gateway.prepared_request import GraphQLRequest
from tests.support import schema_with_everything as wide
from tests.support.comparable_answers import comparable
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import GENERATOR, STATES
from tests.support.numbers_of_examples import operations
from tests.support.predicted_costs import prepared_whole
from tests.support.random_operations import Generator
from tests.support.texts_of_one_shape import with_other_literals
from tests.support.upstream_without_http import MadeSource, made_records

OPERATIONS = operations(250)
PARTS = 2
OTHERS = 3
"""How many other texts there are for each operation."""
RECORDS = made_records()
ANY_NUMBER = 10**12
"""A limit on values that is never reached. A document that is read whole here is predicted by other averages."""
STATES_TO_TRY = ["all known", "half known, some fail"]


async def answer_of_whole(gateway: Gateway, request: GraphQLRequest) -> bytes:
    """Return the answer to a request whose text is read as if there were no shapes."""
    return (await gateway.run(prepared_whole(gateway, request))).body


@pytest.mark.parametrize("part", range(PARTS))
async def test_texts_of_one_shape_are_answered_as_if_each_were_read_whole(part: int) -> None:
    outcomes: Counter[tuple[str, bool]] = Counter()
    for seed in range(part, OPERATIONS, PARTS):
        operation, draws = GENERATOR.operation(seed), Random(seed)
        state = STATES[draws.choice(STATES_TO_TRY)]
        ours = MadeSource(RECORDS, **state)
        gateway = gateway_over(ours.as_source(), limit_values=ANY_NUMBER)
        text = str(operation)
        await gateway.execute(GraphQLRequest(text, operation.variables))
        first = await gateway.documents.find_aside(text)
        if first.literals is None:
            continue  # another test's: it is answered by its whole text
        for other in (text, *(with_other_literals(text, draws) for _ in range(OTHERS))):
            request = GraphQLRequest(other, operation.variables)
            for _ in range(2):  # then the text is remembered, and the request finds it
                found = await gateway.documents.find_aside(other)
            ours.batcher.asked.clear()
            answer = (await gateway.execute(request)).body
            asked = Counter(ours.batcher.asked)
            theirs = MadeSource(RECORDS, **state)
            expected = await answer_of_whole(
                gateway_over(theirs.as_source(), limit_values=ANY_NUMBER), request
            )
            assert comparable(answer) == comparable(expected), (
                f"seed {seed}: {text}\n{other}\n{request.variables}"
            )
            assert asked == Counter(theirs.batcher.asked), f"seed {seed}: {other}"
            how = "by shape" if first.text == found.text else "whole"
            assert how == "whole" or gateway.documents.repeated.found > 0
            outcomes[how, expected.startswith(b'{"errors"')] += 1
    # Enough of each kind for this test to say something, with errors and without.
    assert outcomes["by shape", False] > outcomes.total() * 0.1, outcomes
    assert outcomes["by shape", True] > outcomes.total() * 0.1, outcomes
    assert outcomes["whole", True] > outcomes.total() * 0.05, outcomes


async def test_literals_of_all_kinds_of_types_are_what_they_are_in_their_own_text() -> None:
    generator = Generator(wide.schema._schema, wide.VALUES, favourites={"echo": 20, "page": 10, "again": 5})
    outcomes: Counter[str] = Counter()
    for seed in range(OPERATIONS):
        operation, draws = generator.operation(seed), Random(seed)
        text = str(operation)
        shape, read = shaped(text), read_document(text, wide.schema._schema)
        assert read.node is not None
        made = (
            None if shape is None or read.errors else shaped_document(read.node, shape, wide.schema._schema)
        )
        if shape is None or made is None:
            outcomes["none for others"] += 1
            continue
        engine = Engine(wide.schema)
        for other in (text, *(with_other_literals(text, draws) for _ in range(OTHERS))):
            same = shaped(other)
            literals = made.bound(same.literals) if same is not None and same.shape == shape.shape else None
            if same is None or literals is None:
                outcomes["read whole"] += 1
                continue
            whole = read_document(other, wide.schema._schema)
            assert whole.node is not None, f"seed {seed}: {other}"
            assert not whole.errors, f"seed {seed}: {other}: {whole.errors}"
            theirs = await _outcome(Engine(wide.schema), other, whole.node, operation.variables, None)
            ours = await _outcome(engine, shape.shape, made.node, operation.variables, literals)
            if isinstance(ours, Ran):
                ours = msgspec.structs.replace(ours, errors=located_in(other, same.ends, ours.errors))
            assert _shown(ours) == _shown(theirs), f"seed {seed}: {other}"
            outcomes["by shape"] += 1
    assert outcomes["by shape"] > outcomes.total() * 0.3, outcomes


async def _outcome(
    engine: Engine, text: str, node: object, variables: dict[str, object], literals: dict[str, object] | None
) -> Ran | str:
    try:
        return await engine.run(text, node, None, variables, None, literals=literals)  # type: ignore[arg-type]
    except Fallback as error:
        return error.reason


def _shown(outcome: Ran | str) -> object:
    if isinstance(outcome, str):
        return outcome
    return outcome.data, [_shown_error(error) for error in outcome.errors]


def _shown_error(error: GraphQLError) -> tuple[object, ...]:
    return error.path, error.locations, error.message, repr(error.original_error), error.extensions
