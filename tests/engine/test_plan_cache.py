"""Plans are kept, and each thing is done once."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
import strawberry
from graphql import parse

from engine import Engine
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.gateway_in_process import gateway_over
from tests.support.upstream_without_http import MadeSource, made_records, whole_records
from upstream.client.v4_records import GridRecord

CALLS: list[str] = []
RECORDS = made_records()


@strawberry.type
class Leaf:
    name: str

    @strawberry.field
    async def slow(self) -> str:
        CALLS.append(f"begin {self.name}")
        await asyncio.sleep(0)
        CALLS.append(f"end {self.name}")
        return self.name


LEAVES = [Leaf(name="a"), Leaf(name="b")]


@strawberry.type
class Query:
    @strawberry.field
    def leaves(self) -> list[Leaf | None]:
        return [*LEAVES, None, *LEAVES, LEAVES[0]]


LEAVES_SCHEMA = strawberry.Schema(Query)


async def test_an_object_met_twice_at_one_place_is_answered_once_and_all_are_awaited_together() -> None:
    CALLS.clear()
    text = "{ leaves { slow } again: leaves { slow } }"
    ran = await Engine(LEAVES_SCHEMA).run(text, parse(text), None, None, None)
    a, b = b'{"slow":"a"}', b'{"slow":"b"}'
    lists = b"[%b]" % b",".join([a, b, b"null", a, b, a])
    assert ran.data == b'{"leaves":%b,"again":%b}' % (lists, lists)
    assert sorted(CALLS[:4]) == ["begin a", "begin a", "begin b", "begin b"]
    assert len(CALLS) == 8


async def run(source: MadeSource, text: str) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(
        (await gateway_over(source.as_source()).execute(GraphQLRequest(text))).body
    )
    return answer


DEEP = "{ grids(first: 12) { nodes { packages { grids { packages { category { title } } } } } } }"


async def test_a_level_asks_for_what_it_does_not_know_in_one_flight_without_repeating_anything() -> None:
    records = [
        each for each in made_records() if not (isinstance(each, GridRecord) and each.id == 3)
    ]  # of a bad package
    source = MadeSource(records, known=None)
    assert "errors" not in await run(source, DEEP)
    asked = source.batcher.asked
    assert len(asked) == len(set(asked))
    kinds = [kind for kind, _ in asked]
    assert kinds[0] == "grids"
    # All packages of all grids, then all other grids, then what only those name, and once the categories.
    assert kinds.count("categories") == 1
    assert [kind for place, kind in enumerate(kinds) if place == 0 or kind != kinds[place - 1]][:2] == [
        "grids",
        "package",
    ]


async def test_nothing_is_asked_for_what_is_known() -> None:
    source = MadeSource(RECORDS)
    await run(source, "{ packages(first: 20) { nodes { category { title } } } }")
    assert source.batcher.asked == []


@pytest.mark.parametrize("known", [1, 0.5, None], ids=["all known", "half known", "nothing known"])
async def test_the_receipt_counts_the_same_whether_answered_at_once_or_level_by_level(
    known: float | None,
) -> None:
    gateway = gateway_over(MadeSource(whole_records(), known=known).as_source())
    counted: list[object] = []
    # A field with a resolver keeps to the levels.
    for below in ("title", "databaseId"):
        text = f"{{ grids(first: 9) {{ nodes {{ title packages {{ title grids {{ {below} }} }} }} }} }}"
        answer = (await gateway.execute(GraphQLRequest(text, receipt=True))).decoded()
        counted.append(answer["extensions"]["upstream"]["recordsFromMemory"])
    assert counted[0]
    assert counted[0] == counted[1]


@pytest.mark.parametrize(
    "text",
    [
        '{ grid(slug: "LARGEST") { title packages { title slug } } }',
        "{ grids(first: 9) { nodes { packages { grids { title } slug category { slug } } } } }",
        "{ packages(first: 9) { nodes { category { slug } again: category { title } grids { packages { slug } } } } }",
    ],
)
async def test_what_is_answered_at_once_is_what_strawberry_answers(text: str) -> None:
    records = whole_records()
    largest = max(
        (each for each in records if isinstance(each, GridRecord)), key=lambda grid: len(grid.packages)
    )
    request = GraphQLRequest(text.replace("LARGEST", largest.slug))
    ours, theirs = [
        gateway_over(MadeSource(records).as_source(), use_engine=use_engine) for use_engine in (True, False)
    ]
    assert (await ours.execute(request)).body == (await theirs.execute(request)).body
    assert ours.engine is not None
    assert ours.engine.answered == 1


async def test_a_bounded_number_of_operations_is_kept_and_those_used_last() -> None:
    engine = Engine(schema, cached=2)
    texts = [f"{{ {name}: __typename }}" for name in "abc"]
    kept: dict[str, Any] = {}
    for text in texts[:2]:
        kept[text] = engine.operation(text, parse(text), None)
    assert engine.operation(texts[0], parse(texts[0]), None) is kept[texts[0]]
    engine.operation(texts[2], parse(texts[2]), None)
    assert engine.operation(texts[0], parse(texts[0]), None) is kept[texts[0]]
    assert engine.operation(texts[1], parse(texts[1]), None) is not kept[texts[1]]


async def test_the_kept_operations_have_a_bounded_text_together() -> None:
    engine = Engine(schema, cached_text=60)
    short, long, longest = ("{ __typename }".ljust(size) for size in (20, 40, 61))
    first = engine.operation(short, parse(short), None)
    assert engine.operation(long, parse(long), None) is engine.operation(long, parse(long), None)
    assert engine.operation(short, parse(short), None) is first
    engine.operation(longest, parse(longest), None)
    assert engine.operation(short, parse(short), None) is not first


async def test_the_kept_plans_have_a_bounded_number_of_fields_together() -> None:
    """A short document can have thousands, again for each value of its conditions."""
    engine = Engine(schema, cached_fields=20)
    nine, twelve = (" ".join(f"f{number}: __typename" for number in range(count)) for count in (9, 12))
    text = f"query($a: Boolean!) {{ ... @include(if: $a) {{ {nine} }} ... @skip(if: $a) {{ {twelve} }} }}"
    document = parse(text)
    operation = engine.operation(text, document, None)
    await engine.run(text, document, None, {"a": True}, None)
    assert operation.fields == 9
    assert engine.operation(text, document, None) is operation
    await engine.run(text, document, None, {"a": False}, None)
    assert operation.fields == 9 + 12
    assert engine.operation(text, document, None) is not operation


async def test_each_operation_of_a_document_has_its_own_plan() -> None:
    text = "query A { a: __typename } query B { b: __typename }"
    engine = Engine(schema)
    assert (await engine.run(text, parse(text), "A", None, None)).data == b'{"a":"Query"}'
    assert (await engine.run(text, parse(text), "B", None, None)).data == b'{"b":"Query"}'


async def test_conditions_have_a_plan_each_up_to_a_limit() -> None:
    names = "abcdef"
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: __typename @include(if: ${name})" for name in names)
    text = f"query({declared}) {{ {fields} }}"
    engine = Engine(schema)
    operation = engine.operation(text, parse(text), None)
    for number in range(2 ** len(names)):
        chosen = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        ran = await engine.run(text, parse(text), None, chosen, None)
        shown = ",".join(f'"{name}":"Query"' for name in names if chosen[name])
        assert ran.data == f"{{{shown}}}".encode()
    assert operation.plans_cached == operation.MAX_PLANS


async def test_plain_values_of_other_variables_share_a_plan() -> None:
    text = "query($slug: String, $all: Boolean = false) { package(slug: $slug) { title slug @include(if: $all) } }"
    engine = Engine(schema)
    operation = engine.operation(text, parse(text), None)
    first = operation.plan(operation.coerced({"slug": "a"}))
    assert operation.plan(operation.coerced({"slug": "b", "all": False})) is first
    assert operation.plan(operation.coerced({"slug": "b", "all": True})) is not first
