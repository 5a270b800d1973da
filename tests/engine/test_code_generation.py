"""Tests the generated source: nothing of a request gets into it."""

from __future__ import annotations

import keyword

import msgspec
import pytest
from graphql import parse

from engine import Engine, Fallback
from schema import schema
from tests.support.numbers_of_examples import share_of
from tests.support.schema_with_everything import schema as everything

HOSTILE = [
    "__import__",
    "parent",
    "parents",
    "answers",
    "Answer",
    "None",
    "lambda",
    "name_0",
    "name_0_column",
    "complete_name_0",
    "zip",
    "build_Query",
    "append",
]


def plan(text: str, **variables: object) -> str:
    return Engine(schema).explain(text, parse(text), None, variables)


def source_of(text: str) -> list[str]:
    return [line for line in plan(text).splitlines() if line.strip().startswith("|")]


OPERATION = (
    "query %s { %s: package(slug: %s) { %s: title %s: slug %s: grids { ...%s } } } "
    "fragment %s on Grid { %s: id }"
)


def test_the_source_is_the_same_whatever_the_names_of_a_request() -> None:
    neutral = source_of(OPERATION % ("Q", "a", '"s"', "b", "c", "d", "F", "F", "e"))
    keywords = [word for word in keyword.kwlist if word not in ("true", "false", "null")]
    for name in [*HOSTILE, *share_of(keywords)]:
        other = [f"{name}_{place}" for place in range(5)]
        assert source_of(OPERATION % (name, name, '"s"', *other[:3], f"{name}F", f"{name}F", name)) == neutral
        assert source_of(OPERATION % (other[0], name, '"s"', *other[:3], "F", "F", name)) == neutral


@pytest.mark.parametrize(
    "string",
    [
        '"\\");import os;(\\""',
        '"""\n    raise SystemExit\n"""',
        '"{x.__class__}"',
        '"%s"',
        '"\\u0000\\\\"',
        "$s",
    ],
)
def test_the_source_is_the_same_whatever_the_strings_of_a_request(string: str) -> None:
    operation = OPERATION % (
        "Q($s: String)" if string == "$s" else "Q",
        "a",
        string,
        "b",
        "c",
        "d",
        "F",
        "F",
        "e",
    )
    assert source_of(operation) == source_of(OPERATION % ("Q", "a", '"s"', "b", "c", "d", "F", "F", "e"))


async def test_hostile_names_come_back_as_keys() -> None:
    text = "{ %s }" % " ".join(f"{name}: namedAll {{ {name}: name class: length }}" for name in HOSTILE)  # noqa: UP031
    ran = await Engine(everything).run(text, parse(text), None, None, None)
    result = await everything.execute(text)
    assert result.data is not None
    assert list(result.data) == HOSTILE
    assert ran.data == msgspec.json.encode(result.data)


def test_a_plan_shows_places_sources_and_code() -> None:
    text = (
        "query($deep: Boolean!) "
        "{ package(databaseId: 1) { key: title category @include(if: $deep) { __typename } } }"
    )
    assert plan(text, deep=True).splitlines() == [
        "Query with package",
        "  package: resolver package, to Package",
        "  | def build_Query(parents, package_0_column):",
        "  |     answers = []",
        "  |     for parent, package_0 in zip(parents, package_0_column, strict=True):",
        "  |         answers.append(Answer(package_0))",
        "  |     return answers",
        "  package:",
        "    Package with key, category",
        "      category: relation by category, one batch, to Category",
        "      | def build_Package(parents, category_1_by_key):",
        "      |     answers = []",
        "      |     for parent in parents:",
        "      |         title_0 = parent.title",
        "      |         if not (title_0.__class__ is str):",
        "      |             title_0 = complete_title_0(title_0, nodes_title_0)",
        "      |         answers.append(Answer(title_0, category_1_by_key[parent.category]))",
        "      |     return answers",
        "      category:",
        "        Category with __typename",
        "          | def build_Category(parents):",
        "          |     answers = []",
        "          |     for parent in parents:",
        "          |         answers.append(Answer(__typename_0))",
        "          |     return answers",
    ]
    assert "category" not in plan(text, deep=False)


def test_a_relation_with_an_argument_is_resolved_for_each_parent() -> None:
    shown = plan("{ grid(databaseId: 1) { packages { id } sorted: packages(orderBy: STARS_DESC) { id } } }")
    sources = dict(line.strip().split(": ", 1) for line in shown.splitlines() if "[Package]!" in line)
    assert sources == {
        "packages": "relation by packages, one batch, to [Package]!",
        "sorted": "resolver _GridPackages.resolve, to [Package]!",
    }


def test_a_plan_of_an_abstract_type_shows_each_type() -> None:
    text = "{ everything { __typename ... on Named { name } } }"
    shown = Engine(everything).explain(text, parse(text), None, None)
    assert [line.strip() for line in shown.splitlines() if " with " in line] == [
        "Query with everything",
        "Pet with __typename, name",
        "Person with __typename, name",
        "Stone with __typename",
    ]


def test_there_is_no_plan_for_what_is_handed_over() -> None:
    with pytest.raises(Fallback, match="introspection"):
        plan("{ __schema { queryType { name } } }")
