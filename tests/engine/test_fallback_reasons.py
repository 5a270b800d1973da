"""Tests what the engine leaves to Strawberry's execution, and why."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import strawberry
from graphql import parse
from strawberry.directive import DirectiveLocation
from strawberry.extensions import SchemaExtension

from engine import Engine, Fallback, FallbackReason
from tests.support.counted_calls import counted_calls
from tests.support.schema_with_everything import schema


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def loud(value: str) -> str:
    return value.upper()


@strawberry.type
class Query:
    plain: str = strawberry.field(resolver=lambda: "a")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> str:
        return "changed"


class Timing(SchemaExtension):
    def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        return _next(root, info, *args, **kwargs)


WITH_DIRECTIVE = strawberry.Schema(Query, Mutation, directives=[loud])
WITH_EXTENSION = strawberry.Schema(Query, extensions=[Timing])


async def reason(text: str, of: strawberry.Schema = schema, **variables: object) -> FallbackReason | None:
    engine = Engine(of)
    with suppress(Fallback):
        await engine.run(text, parse(text), None, variables, None)
    assert engine.answered + engine.fallbacks.total() == 1
    return next(iter(engine.fallbacks), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", None),
        ("{ __schema { queryType { name } } }", "introspection"),
        ('{ ...F } fragment F on Query { a: __type(name: "Pet") { name } }', "introspection"),
        ('{ named(name: "nobody") { name } }', None),
        ('{ nested { fragile(how: "raise") } }', "error"),
        ('{ nested { fragile(how: "error") } }', "error"),
        ('{ nested { fragile(how: "null") } }', "null"),
        ("{ nested { later } }", None),
        ("{ iterated }", "value"),
        ("{ nested { place } }", None),
        ("{ nested { far } }", "path"),
        ("{ nested { diary(secret: true) } }", None),
        ("query($r: Range!) { page(range: $r) { count } }", "variables"),
        ("query($b: Boolean = true) { __typename @skip(if: $b) }", None),
    ],
)
async def test_the_reason_says_what_was_met(text: str, expected: FallbackReason | None) -> None:
    assert await reason(text) == expected


async def test_a_condition_that_is_null_is_left_to_strawberry() -> None:
    assert await reason("query($b: Boolean = true) { __typename @skip(if: $b) }", b=None) == "variables"


async def test_mutations_are_left_to_strawberry() -> None:
    assert await reason("mutation { change }", WITH_DIRECTIVE) == "operation"
    assert await reason("{ plain }", WITH_DIRECTIVE) is None


@pytest.mark.parametrize(
    "text",
    [
        "{ plain @loud }",
        "query @loud { plain }",
        "query($v: Int @loud) { plain }",
        "{ ... @loud { plain } }",
        "{ ... on Query @loud { plain } }",
        "{ ... { plain @skip(if: false) @loud } }",
        "{ ...F @loud } fragment F on Query { plain }",
        "{ ...F } fragment F on Query @loud { plain }",
        "{ ...F } fragment F on Query { plain @loud }",
    ],
)
async def test_a_directive_is_left_to_strawberry_wherever_it_is(text: str) -> None:
    assert await reason(text, WITH_DIRECTIVE) == "directive"


async def test_fragments_are_looked_through_once_however_many_spread_them() -> None:
    # There are two ways from each step to the next, so 2 ** 16 to the last.
    text = "{ ...A0 } fragment A16 on Query { plain @skip(if: false) }" + "".join(
        f"fragment A{n} on Query {{ ...B{n} ...C{n} }} fragment B{n} on Query {{ ...A{n + 1} }}"
        f"fragment C{n} on Query {{ ...A{n + 1} }}"
        for n in range(16)
    )
    engine, document = Engine(WITH_DIRECTIVE), parse(text)
    with counted_calls() as calls:
        await engine.run(text, document, None, None, None)
    assert calls.number < 2**16


async def test_a_schema_whose_extensions_take_part_is_left_to_strawberry() -> None:
    assert await reason("{ plain }", WITH_EXTENSION) == "extension"


async def test_what_is_left_to_strawberry_is_remembered_as_such() -> None:
    engine, text = Engine(schema), "{ __schema { queryType { name } } }"
    for _ in range(2):
        with pytest.raises(Fallback):
            await engine.run(text, parse(text), None, None, None)
    assert engine.fallbacks == {"introspection": 2}
