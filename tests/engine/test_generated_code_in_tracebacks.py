"""What fails in a generated function is shown with its source, for as long as there is a plan with it."""

from __future__ import annotations

import gc
import linecache
import traceback

import pytest
import strawberry
from graphql import parse

from engine import Engine, Fallback
from tests.support.garbage_collection import collector_off


class Broken:
    @property
    def title(self) -> str:
        raise RuntimeError("The shelf is empty.")


@strawberry.type
class Book:
    title: str
    year: int


@strawberry.type
class Query:
    @strawberry.field
    def broken(self) -> Book:
        return Broken()  # type: ignore[return-value]

    @strawberry.field
    def book(self) -> Book:
        return Book(title="Emma", year="unknown")  # type: ignore[arg-type]


SCHEMA = strawberry.Schema(Query)


@strawberry.type
class Shelf:
    title: str


@strawberry.type
class Library:
    """The root of a schema for which no other test has plans, whose source would be found again."""

    @strawberry.field
    def shelf(self) -> Shelf:
        return Shelf(title="Novels")


def generated() -> list[str]:
    return [name for name in linecache.cache if name.startswith("<engine: ")]


async def shown(text: str) -> list[str]:
    with pytest.raises(Fallback) as caught:
        await Engine(SCHEMA).run(text, parse(text), None, None, None)
    return [line.strip() for line in traceback.format_exception(caught.value)]


async def test_an_attribute_that_cannot_be_read_is_shown_with_its_line() -> None:
    lines = await shown("{ broken { title } }")
    (place,) = [number for number, line in enumerate(lines) if "in build_Book" in line]
    assert lines[place].split("\n")[1].strip() == "title_0 = parent.title"


async def test_a_value_that_its_type_does_not_take_is_shown_with_its_line() -> None:
    lines = await shown("{ book { title year } }")
    (place,) = [number for number, line in enumerate(lines) if "in build_Book" in line]
    assert lines[place].split("\n")[1].strip() == "year_1 = complete_year_1(year_1, nodes_year_1)"


async def test_the_source_goes_with_the_last_plan_that_needs_it() -> None:
    before = generated()

    def ours() -> list[str]:
        return [name.split()[1] for name in generated() if name not in before]

    with collector_off():
        engine = Engine(strawberry.Schema(Library), cached=1)
        texts = ["{ a: shelf { title } }", "{ b: shelf { title } }", "{ __typename }"]
        for text in texts[:2]:
            assert (await engine.run(text, parse(text), None, None, None)).errors == []
            # The first operation is forgotten when the second comes.
            assert ours() == ["Shelf", "Library"]
        await engine.run(texts[2], parse(texts[2]), None, None, None)
        assert ours() == ["Library"]
        del engine
        gc.collect(0)
    assert ours() == []
