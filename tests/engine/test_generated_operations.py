"""Tests the same agreement on operations of hypothesis-graphql, which knows nothing of what this engine finds hard."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import queries

from gateway.document_validation import read_document
from gateway.prepared_request import GraphQLRequest
from schema import schema, sdl
from tests.support.comparable_answers import comparable
from tests.support.gateway_in_process import gateway_over
from tests.support.numbers_of_examples import operations
from tests.support.upstream_without_http import MadeSource, made_records

OPERATIONS = operations(60)

RECORDS = made_records()


@settings(max_examples=OPERATIONS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.deferred(lambda: queries(sdl("plain"))))
def test_operations_of_hypothesis_graphql_are_answered_alike(text: str) -> None:
    # It does not know that the one key of a ``@oneOf`` input cannot be null; nothing else may be unfit.
    assert all("OneOf Input Object" in error.message for error in read_document(text, schema._schema).errors)

    async def answers() -> list[object]:
        request = GraphQLRequest(text)
        by_engine, by_strawberry = (
            gateway_over(MadeSource(RECORDS, known=0.5).as_source(), use_engine=on) for on in (True, False)
        )
        # Three times, the last of which has the subtrees that the second made.
        gateways = [by_strawberry, by_engine, by_engine, by_engine]
        return [comparable((await gateway.execute(request)).body) for gateway in gateways]

    theirs, *ours = asyncio.run(answers())
    assert ours == [theirs] * 3
