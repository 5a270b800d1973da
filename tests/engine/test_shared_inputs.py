"""A filter is built and read once for all requests in which the document and its variables say the same."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse_value

from engine.shared_inputs import MAX_PARTS, SharedInput, SharedInputs
from gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over
from tests.support.made_records import category, grid, package
from tests.support.upstream_without_http import MadeSource
from upstream.client import Record

SLUGS = [f"slug-{id}" for id in range(1, 6)]
RECORDS: list[Record] = [
    category(1),
    grid(1, packages=(1, 2, 3, 4, 5)),
    *(package(id, repo_watchers=10 * id, grids=(1,)) for id in range(1, 6)),
]


@pytest.fixture
def gateway() -> Gateway:
    # Without subtrees and kept answers, so that each request is run.
    return gateway_over(MadeSource(RECORDS).as_source(), response_cache_bytes=0)


def made(gateway: Gateway) -> int:
    assert gateway.engine is not None
    return gateway.engine.shared.made


async def slugs(gateway: Gateway, text: str, **variables: object) -> list[str]:
    answer = (await gateway.execute(GraphQLRequest(text, variables))).decoded()
    assert "errors" not in answer, answer
    return [each["slug"] for each in answer["data"]["packages"]["nodes"]]


async def test_a_filter_in_a_text_is_built_once_for_each_of_its_values(gateway: Gateway) -> None:
    text = "{ packages(filter: {stars: {min: %d}}, orderBy: STARS_ASC) { nodes { slug } } }"
    for _ in range(3):
        assert await slugs(gateway, text % 30) == SLUGS[2:]
        assert await slugs(gateway, text % 40) == SLUGS[3:]
    assert made(gateway) == 2


async def test_a_filter_with_variables_is_built_once_for_their_values(gateway: Gateway) -> None:
    text = """query($low: Int, $other: Int) { packages(filter: {stars: {min: $low, max: 40}}, orderBy: STARS_ASC) {
      nodes { slug relatedPackages(first: $other) { __typename } } } }"""
    for other in (1, 2):
        assert await slugs(gateway, text, low=30, other=other) == SLUGS[2:4]
        assert await slugs(gateway, text, low=None, other=other) == SLUGS[:4]
        assert await slugs(gateway, text, other=other) == SLUGS[:4]
    assert made(gateway) == 3  # a variable that is null is not one that is not given


async def test_a_filter_that_is_a_variable_is_built_once_for_all_documents(gateway: Gateway) -> None:
    text = "query($f: PackageFilter) { packages(filter: $f, orderBy: STARS_ASC) { nodes { %s } } }"
    filters: list[tuple[dict[str, Any], list[str]]] = [
        ({"stars": {"min": 30}}, SLUGS[2:]),
        ({"stars": {"max": 30}}, SLUGS[:3]),
        ({"or": [{"slug": "1"}, {"not": {"slug": "slug"}}]}, SLUGS[:1]),
        ({"or": [{"slug": "1"}], "not": {"slug": "slug"}}, []),
    ]
    for fields in ("slug", "slug title"):
        for value, expected in filters:
            assert await slugs(gateway, text % fields, f=value) == expected
    assert made(gateway) == len(filters)


async def test_a_filter_by_the_time_is_compared_with_its_offset(gateway: Gateway) -> None:
    text = "query($at: DateTime) { packages(filter: {created: {after: $at}}) { nodes { slug } } }"
    for at in ("2001-01-01T00:00:00Z", "2001-01-01T01:00:00+01:00"):
        assert len(await slugs(gateway, text, at=at)) == await count_after_2001(gateway)
    assert made(gateway) == 3


async def count_after_2001(gateway: Gateway) -> int:
    text = '{ packages(filter: {created: {after: "2001-01-01T00:00:00Z"}}) { totalCount nodes { slug } } }'
    return len(await slugs(gateway, text))


async def test_an_error_of_a_filter_is_the_same_each_time(gateway: Gateway) -> None:
    without = gateway_over(MadeSource(RECORDS).as_source(), response_cache_bytes=0, engine=False)
    for text in (
        "{ packages(filter: {stars: {min: 5, max: 4}}) { totalCount } }",
        '{ packages(filter: {category: "none"}) { totalCount } }',
        "{ packages(filter: {or: []}) { totalCount } }",
        "{ packages(filter: {and: [%s]}) { totalCount } }" % (101 * '{title: "a"},'),
        "{ packages(filter: {and: [%s]}) { totalCount } }" % (201 * "{},"),
    ):
        expected = (await without.execute(GraphQLRequest(text))).body
        assert b'"BAD_USER_INPUT"' in expected
        for _ in range(3):
            assert (await gateway.execute(GraphQLRequest(text))).body == expected


async def test_a_filter_in_a_fragment_counts_wherever_the_fragment_is_used(gateway: Gateway) -> None:
    connection = "packagesConnection(filter: {and: [{stars: {min: 1}}, {forks: {min: 0}}]}) { totalCount }"
    twice = """{ a: package(slug: "slug-1") { grids { %s } } b: package(slug: "slug-2") { grids { %s } } }"""
    by_fragment = twice % ("...G", "...G") + f" fragment G on Grid {{ {connection} }}"
    above = """{ a: package(slug: "slug-1") { ...P } b: package(slug: "slug-2") { ...P } }
      fragment P on Package { grids { %s } }"""
    texts = [twice % (connection, connection), by_fragment, above % connection]
    steps = {(await steps_of(gateway, text)) for text in texts for _ in range(3)}
    assert len(steps) == 1


async def steps_of(gateway: Gateway, text: str) -> int:
    answer = (await gateway.execute(GraphQLRequest(text, receipt=True))).decoded()
    assert answer["data"]["a"]["grids"] == [{"packagesConnection": {"totalCount": 5}}]
    steps: int = answer["extensions"]["work"]["steps"]
    return steps


def shared(text: str, shared: SharedInputs, values: list[dict[str, Any]]) -> list[Any]:
    """Return what is shared for a value that repeats the variables at ``text``."""
    node = parse_value(text)
    make = shared.sharing(node, dict, place=1)
    return [make(each) for each in values]


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (None, False), ("1", 1), ([], {}), ([["a"], "b"], [["a", "b"]]), ("", [])],
)
def test_values_that_are_not_the_same_share_nothing(one: object, other: object) -> None:
    inputs = SharedInputs()
    first, second, again = shared("{a: $a}", inputs, [{"a": one}, {"a": other}, {"a": one}])
    assert (first, second) == ({"a": one}, {"a": other})
    assert first is again
    assert first is not second
    assert first["a"].__class__ is one.__class__


def test_only_the_variables_of_a_value_decide_it() -> None:
    inputs = SharedInputs()
    values = shared("{a: [$a, {b: $b}]}", inputs, [{"a": 1, "b": 2, "c": each} for each in (1, 2, 3)])
    assert values[0] is values[1] is values[2]
    assert (inputs.made, len(inputs)) == (1, 1)


def test_a_value_that_cannot_be_compared_or_is_large_is_made_anew() -> None:
    inputs = SharedInputs()
    for value in (1.5, float("nan"), object(), [1] * MAX_PARTS):
        one, other = shared("{a: $a}", inputs, [{"a": value}] * 2)
        assert not isinstance(one, SharedInput)
        assert one is not other
    assert len(inputs) == 0


def test_shared_values_take_so_many_bytes_at_most() -> None:
    inputs = SharedInputs(max_bytes=100_000)
    shared("{a: $a}", inputs, [{"a": "x" * 500 + str(number)} for number in range(500)])
    assert 10 < len(inputs) < 40
    assert 50_000 < inputs.bytes <= 100_000
    shared("{a: $a}", inputs, [{"a": "x" * 2_000}])
    assert inputs.bytes <= 100_000
    assert inputs.made == 501
