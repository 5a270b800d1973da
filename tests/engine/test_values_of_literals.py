"""Tests a document with variables in the places of literals: their values come with the request, and resolvers see
none."""

from __future__ import annotations

import strawberry
from graphql import parse

from engine import Engine
from gateway.document_shapes import shaped
from gateway.literal_variables import ShapedDocument, shaped_document


@strawberry.type
class Query:
    @strawberry.field
    def told(self, info: strawberry.Info, x: str, y: int | None = None) -> str:
        return f"{x} {y} {info.variable_values}"


SCHEMA = strawberry.Schema(Query)
TEXT = 'query ($y: Int) { told(x: "%s", y: $y) }'


def for_all(text: str) -> ShapedDocument:
    found = shaped(text)
    assert found is not None
    made = shaped_document(parse(text), found, SCHEMA._schema)
    assert made is not None
    return made


async def test_one_plan_runs_with_the_literals_of_each_request() -> None:
    engine, document = Engine(SCHEMA), for_all(TEXT % "a")
    for value in ("a", "b"):
        ran = await engine.run("shape", document.node, None, {"y": 5}, None, literals=document.bound([value]))
        assert ran.data == b'{"told":"%s 5 {\'y\': 5}"}' % value.encode()
        assert not ran.errors
    operation = engine.operation("shape", document.node, None)
    assert operation.plans_cached == 1
