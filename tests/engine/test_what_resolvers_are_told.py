"""Resolvers are told the same of an operation by the engine as by Strawberry's execution."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import strawberry
from graphql import parse

from engine import Engine, Fallback


def told(info: strawberry.Info) -> str:
    """Return all that does not differ below the root, whose paths the engine does not know."""
    raw = info._raw_info
    return repr(
        [
            (raw.field_name, raw.parent_type.name, str(raw.return_type), raw.path.key, raw.path.typename),
            (type(raw.field_nodes), [node.loc and node.loc.start for node in raw.field_nodes]),
            (
                raw.operation.name and raw.operation.name.value,
                sorted(raw.fragments),
                raw.schema is SCHEMA._schema,
            ),
            (raw.variable_values, raw.context, raw.root_value),
        ]
    )


@strawberry.interface
class Told:
    @strawberry.field
    def told(self, info: strawberry.Info) -> str:
        return told(info)

    @strawberry.field
    def told_more(self, info: strawberry.Info, number: int = 1) -> list[str | None] | None:
        return [told(info)] * number


@strawberry.type
class Below(Told):
    number: int

    @strawberry.field
    def above(self, info: strawberry.Info) -> str:
        return str(info.path.prev)


@strawberry.type
class Query(Told):
    @strawberry.field
    def place(self, info: strawberry.Info) -> str:
        return str(info.path.as_list())

    @strawberry.field
    def echo(
        self,
        text: str | None = strawberry.UNSET,
        words: list[str | None] | None = strawberry.UNSET,
        maybe: strawberry.Maybe[int | None] = None,
    ) -> str:
        return repr([text, words, maybe])

    @strawberry.field
    def below(self) -> Below:
        return Below(number=1)

    @strawberry.field
    def all_below(self) -> list[Told]:
        return [Below(number=number) for number in range(2)]


SCHEMA = strawberry.Schema(Query, types=[Below])


@pytest.mark.parametrize(
    "variables", [None, {"n": 2, "text": "x"}, {"n": 0, "text": None, "words": ["a", None]}]
)
@pytest.mark.parametrize(
    "text",
    [
        "query Q { told }",
        "{ key: told toldMore }",
        "{ told told ... { told } ...F } fragment F on Query { told }",
        "query Q($n: Int = 3, $text: String, $words: [String])"
        "{ told toldMore(number: $n) key: place place echo(text: $text, words: $words) }",
        "query ($n: Int! = 3) { below { told key: told toldMore(number: $n) ...F } } fragment F on Told { told }",
        "{ allBelow { told ... on Below { key: told toldMore } } }",
    ],
)
async def test_a_resolver_is_told_the_same_of_its_field(text: str, variables: dict[str, Any] | None) -> None:
    await answered_alike(text, variables)


@pytest.mark.parametrize("given", [{}, {"n": None}, {"n": 5}])
@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "(text: null, maybe: null)",
        '(words: "a", maybe: 1)',
        "(words: [$t], text: $t, maybe: $n)",
        "(text: $t, maybe: $n)",
    ],
)
async def test_a_resolver_knows_null_from_no_value(arguments: str, given: dict[str, Any]) -> None:
    variables = ", ".join(each for each in ("$n: Int", "$t: String") if each[:2] in arguments)
    text = f"query {f'({variables})' if variables else ''} {{ echo{arguments} }}"
    await answered_alike(text, given | ({"t": None} if "n" in given else {}))


async def test_a_resolver_that_asks_for_the_path_above_it_is_left_to_strawberry() -> None:
    text = "{ below { above } }"
    with pytest.raises(Fallback) as left:
        await Engine(SCHEMA).run(text, parse(text), None, None, None)
    assert left.value.reason == "path"


async def answered_alike(text: str, variables: dict[str, Any] | None) -> None:
    expected = await SCHEMA.execute(text, variables, context_value="context")
    assert expected.errors is None
    ran = await Engine(SCHEMA).run(text, parse(text), None, variables, "context")
    assert ran.data == msgspec.json.encode(expected.data)
