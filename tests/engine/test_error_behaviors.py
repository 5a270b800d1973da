"""Tests what errors of fields do by ``onError``: both executions agree on it, and nulls keep to
``@semanticNonNull``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLList, GraphQLObjectType, GraphQLOutputType, get_named_type, get_nullable_type

from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from schema import OnError, schema
from schema.semantic_nullability import semantic_levels
from tests.support.comparable_answers import comparable
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import GENERATOR, STATES
from tests.support.numbers_of_examples import operations
from tests.support.operation_texts import Operation
from tests.support.upstream_without_http import MadeSource, made_records

OPERATIONS = operations(200)
RECORDS = made_records()
FAILING = [state for state in STATES if "fail" in state]

WEEKS = """{ a: package(databaseId: 40) { slug commitActivity { total52 lastWeeks(n: 60) } }
             b: package(databaseId: 1) { slug category { id } } }"""
REFUSED = "lastWeeks(n:) is 60; it can be 1 to 52."


async def answered(request: GraphQLRequest, state: str, *, by_engine: bool) -> bytes:
    return (await gateway_in(state, by_engine=by_engine).execute(request)).body


def gateway_in(state: str, *, by_engine: bool) -> Gateway:
    return gateway_over(MadeSource(RECORDS, **STATES[state]).as_source(), use_engine=by_engine)


@pytest.mark.parametrize("state", FAILING)
@pytest.mark.parametrize("on_error", ["NULL", "HALT"])
async def test_both_executions_do_with_errors_what_the_request_says(on_error: OnError, state: str) -> None:
    failed = 0
    for seed in range(OPERATIONS):
        operation: Operation = GENERATOR.operation(seed)
        request = GraphQLRequest(str(operation), operation.variables, on_error=on_error)
        engine, strawberry = [gateway_in(state, by_engine=on) for on in (True, False)]
        prepared = await engine.prepare(request, engine.source.current())
        ours, theirs = [(await each.run(prepared)).body for each in (engine, strawberry)]
        if on_error == "HALT" and b'"errors"' in theirs:
            # Which of several errors is met first depends on which load ends first.
            answers = [json.loads(body) for body in (ours, theirs)]
            assert [answer.get("data") for answer in answers] == [None, None], operation
            assert [len(answer["errors"]) for answer in answers] == [1, 1], operation
        else:
            assert comparable(ours) == comparable(theirs), operation
        failed += b'"errors"' in theirs
    assert failed > OPERATIONS / 10


@pytest.mark.parametrize("by_engine", [True, False])
async def test_the_error_of_a_field_that_may_not_be_null(by_engine: bool) -> None:
    async def run(on_error: OnError) -> dict[str, Any]:
        request = GraphQLRequest(WEEKS, on_error=on_error)
        answer: dict[str, Any] = json.loads(await answered(request, "all known", by_engine=by_engine))
        (error,) = answer["errors"]
        assert (error["message"], error["path"]) == (REFUSED, ["a", "commitActivity", "lastWeeks"])
        return answer

    other = {"slug": "slug-1", "category": {"id": "Q2F0ZWdvcnk6Mg=="}}
    propagated = (await run("PROPAGATE"))["data"]
    assert propagated == {"a": {"slug": "slug-40", "commitActivity": None}, "b": other}
    null = (await run("NULL"))["data"]
    total = null["a"]["commitActivity"].pop("total52")
    assert isinstance(total, int)
    assert null == {"a": {"slug": "slug-40", "commitActivity": {"lastWeeks": None}}, "b": other}
    assert (await run("HALT"))["data"] is None


LEVELS = semantic_levels(schema)
EVERY = """query Every($slugs: [String!]! = ["slug-1", "slug-7", "no such"]) {
  categories { slug packageCount packages(first: 3) { totalCount } mostStarred { slug } }
  packages(first: 20) { nodes { category { slug } grids { slug } contributors { login }
    relatedPackages { package { slug } } isOnGrid(slug: "grid-2") history { field } } }
  grids(first: 10) { nodes { packages { slug category { slug } } packagesConnection { totalCount }
    stars { total } forks { total } commits { total } mostActive { slug } compare(slugs: $slugs) { starsRank } } }
  package(slug: "slug-3") { category { slug } grids { slug packages { slug } } isOnGrid(slug: "grid-3") }
  grid(slug: "grid-2") { history { at } packages { slug grids { slug } } stars { total } mostActive { slug } }
  packagesById(ids: []) { slug } packagesBySlug(slugs: $slugs) { slug } gridsBySlug(slugs: $slugs) { slug }
  packagesByPypiName(names: $slugs) { slug } packagesByRepoUrl(urls: $slugs) { slug } gridsById(ids: ["x"]) { slug }
  contributors { totalCount } stats { packageCount } changes { totalCount } search(query: "django") { totalCount }
  trending(since: "2025-06-01T00:00:00Z") { gained } removedPackages { totalCount }
}"""


@pytest.mark.parametrize("state", STATES)
async def test_what_is_null_only_with_an_error_has_one_when_it_is_null(state: str) -> None:
    answer = json.loads(await answered(GraphQLRequest(EVERY, on_error="NULL"), state, by_engine=True))
    failed = {tuple(error["path"]) for error in answer.get("errors", ())}
    query = schema._schema.query_type
    assert query is not None
    met: set[tuple[str, str]] = set()
    for name, path, is_null in _declared_values(query, answer["data"], ()):
        met.add(name)
        assert not is_null or path in failed, (name, path)
    # A field below one that is null here is met in another state.
    assert len(met) > len(LEVELS) / 2


async def test_every_declared_field_is_asked_for() -> None:
    answer = json.loads(await answered(GraphQLRequest(EVERY), "all known", by_engine=True))
    query = schema._schema.query_type
    assert query is not None
    assert {name for name, _, _ in _declared_values(query, answer["data"], ())} == set(LEVELS)


Met = tuple[tuple[str, str], tuple[str | int, ...], bool]
"""The type and name of a field that is declared, a path in it, and whether it is null there."""


def _declared_values(type_: GraphQLObjectType, data: Any, path: tuple[str | int, ...]) -> Iterator[Met]:
    for key, value in data.items():
        field = type_.fields[key]
        levels = LEVELS.get((type_.name, key))
        if levels is not None:
            for at, item in _at(levels, value, (*path, key)):
                yield (type_.name, key), at, item is None
        yield from _below(field.type, value, (*path, key))


def _below(type_: GraphQLOutputType, value: Any, path: tuple[str | int, ...]) -> Iterator[Met]:
    nullable = get_nullable_type(type_)
    if isinstance(value, list) and isinstance(nullable, GraphQLList):
        for place, item in enumerate(value):
            yield from _below(nullable.of_type, item, (*path, place))
    elif isinstance(value, dict) and isinstance(named := get_named_type(type_), GraphQLObjectType):
        yield from _declared_values(named, value, path)


def _at(
    levels: tuple[int, ...], value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if 0 in levels:
        yield path, value
    if 1 in levels and value is not None:
        yield from (((*path, place), item) for place, item in enumerate(value))
