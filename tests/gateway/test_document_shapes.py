"""Documents are known by their shapes: which texts have one, what is common to those of a shape, and what is not."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from time import perf_counter

import pytest
from graphql import GraphQLSyntaxError, parse

from gateway.document_cache import CACHED_DOCUMENTS, DocumentCache
from gateway.document_shapes import LONGEST, MARK, MAX_LITERALS, shaped
from gateway.document_validation import read_document
from gateway.limits import DocumentLimits
from gateway.literal_variables import ShapedDocument, shaped_document
from schema import schema
from tests.support.gateway_operations import GENERATOR
from tests.support.numbers_of_examples import operations
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from tests.support.texts_of_one_shape import literals_in, with_other_literals

OPERATIONS = operations(300)
SLUG = '{ package(slug: "%s") { title } }'


def shape(text: str) -> str:
    found = shaped(text)
    assert found is not None
    return found.shape


def literals(text: str) -> list[str]:
    found = shaped(text)
    assert found is not None
    return found.literals


def for_all(text: str) -> ShapedDocument | None:
    """Return what the document with this text is for others."""
    read, found = read_document(text, schema._schema), shaped(text)
    assert not read.errors, read.errors
    assert read.node is not None
    assert found is not None
    return shaped_document(read.node, found, schema._schema)


def test_texts_that_differ_in_strings_and_numbers_have_one_shape() -> None:
    assert shape('{ a(b: "x", c: 1) }') == shape('{ a(b: "y z", c: -20) }')
    assert literals('{ a(b: "x", c: -1, d: 2.5e+3) }') == ["x", "-1", "2.5e+3"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('a(b: "1")', "a(b: 1)"),
        ("a(b: 1)", "a(b: 1.0)"),
        ("a(b: 1)", "a(b: 1e0)"),
        ('a(b: "x")', 'a(b: """x""")'),
        ('a(b: "x")', "a(b: x)"),
        ('a(b: "true")', "a(b: true)"),
        ('a(b: ["x"])', 'a(b: ["x", "y"])'),
        ('a(b: "x", c: "x")', 'a(b: "x", c: "y")'),
        ('a(b: 1, c: "1")', "a(b: 1, c: 1)"),
        ("a1(b: 1)", "a2(b: 1)"),
        ("a(b1: 1)", "a(b2: 1)"),
        ("a(b: $v1, c: 1)", "a(b: $v2, c: 1)"),
        ("a(b: 1) # 1", "a(b: 1) # 2"),
        ('a(b: 1) # "x"', 'a(b: 1) # "y"'),
        ('a(b: """1""", c: 1)', 'a(b: """2""", c: 1)'),
    ],
)
def test_what_is_no_other_literal_has_another_shape(one: str, other: str) -> None:
    assert shape(one + " b(c: 1)") != shape(other + " b(c: 1)")


def test_equal_literals_are_one_however_they_are_written() -> None:
    assert literals('"A" "\\u0041" "A" 7 "7" 7') == ["A", "7", "7"]
    assert literals('"\\ud83d\\ude00" "😀" "\\"\\\\\\/\\n"') == ["😀", '"\\/\n']
    # These are not equal for the rule that fields of one name have equal arguments.
    assert literals("0 -0 1.0 1.00") == ["0", "-0", "1.0", "1.00"]


@pytest.mark.parametrize(
    "text",
    [
        "{ a }",
        "",
        '{ a(b: """x""") }',
        '{ a(b: "x',
        '{ a(b: "x\n") }',
        '{ a(b: """x) }',
        '{ a(b: "x"") }',
        '{ a(b: "\\x") }',
        '{ a(b: "\\u{41}") }',
        '{ a(b: "\\ud83d") }',
        '{ a(b: "\ud800") }',
        "{ a(b: 007) }",
        "{ a(b: 1x) }",
        "{ a(b: 1.) }",
        "{ a(b: 1.x) }",
        "{ a(b: -) }",
        "{ a(b: 1-1.) }",
        f'{{ a(b: "x") }} # {MARK}',
        f"{{ a(b: {MARK}s0) }}",
    ],
)
def test_a_text_without_literals_or_with_strange_ones_is_read_whole(text: str) -> None:
    assert shaped(text) is None


def test_a_text_of_many_literals_or_a_long_one_is_read_whole() -> None:
    assert len(literals("{ a(b: [" + " ".join(map(str, range(MAX_LITERALS))) + "]) }")) == MAX_LITERALS
    assert shaped("{ a(b: [" + "1 " * (MAX_LITERALS + 1) + "]) }") is None
    assert shaped('{ a(b: "' + "x" * (LONGEST - 20) + '") }') is not None
    assert shaped('{ a(b: "' + "x" * LONGEST + '") }') is None


@pytest.mark.parametrize(
    "part",
    [
        "1 ",
        "-",
        "a1",
        "1.",
        "1e",
        '"',
        '""',
        '"""a',
        '"a',
        '"\\',
        "\\",
        "#\n",
        "0",
        "1",
        '"x" ',
        " ",
        "\ud800",
    ],
    ids=ascii,
)
def test_no_text_is_read_more_than_once(part: str) -> None:
    """If it were, the longest text would take minutes; a few milliseconds are usual."""
    text = part * (LONGEST // len(part))
    for begin in ("", '"', '"""', "{ a(b: [", "#"):
        started = perf_counter()
        shaped((begin + text)[:LONGEST])
        assert perf_counter() - started < 20


def test_a_text_that_looks_like_a_shape_is_none_of_its_texts() -> None:
    known = shape(SLUG % "x")
    assert MARK in known
    assert shaped(known) is None
    with pytest.raises(GraphQLSyntaxError):
        parse(known)


def test_literals_are_found_where_graphql_core_finds_them() -> None:
    found_some = 0
    for seed in range(OPERATIONS):
        draws = Random(seed)
        text = with_other_literals(str(GENERATOR.operation(seed)), draws)
        found = shaped(text)
        try:
            tokens = literals_in(text)
        except GraphQLSyntaxError:
            assert found is None or MARK in found.shape
            continue
        if found is None:
            assert not tokens or "\\u{" in text
            continue
        found_some += 1
        assert list(found.numbers) == [token.start for token in tokens]
        assert found.ends == [token.end for token in tokens]
        assert [found.literals[number] for number in found.numbers.values()] == [
            each.value for each in tokens
        ]
    assert found_some > OPERATIONS / 3


@pytest.mark.parametrize(
    "text",
    [
        'query Q($s: String = "x") { package(slug: $s) { title } grid(slug: "y") { title } }',
        'query Q($n: Int = 3) { packages(first: $n) { nodes { title } } }',
        '{ _entities(representations: [{__typename: "Package", slug: "x"}]) { __typename } }',
        '{ __type(name: "Package") { name } package(slug: "x") { title } }',
        '{ package(slug: "x") { ... @defer(label: "y") { title } } }',
        'subscription { catalogChanged(since: "x") { action } }',
    ],
)  # fmt: skip
def test_where_literals_decide_more_than_a_value_a_document_is_none_for_others(text: str) -> None:
    assert for_all(text) is None


def test_literals_are_coerced_as_their_places_want() -> None:
    text = '{ a: package(id: 7) { title } b: package(databaseId: 7) { title } c: packagesBySlug(slugs: "7") { id } }'
    known = for_all(text)
    assert known is not None
    assert known.bound(["5", "x"]) == {"0": "5", "1": 5, "2": ["x"]}
    assert known.bound(["2147483648", "x"]) is None
    assert known.bound(["9" * 5_000, "x"]) is None


def test_fields_of_one_name_have_equal_arguments_in_all_texts_of_a_shape() -> None:
    same, different = (
        f'{{ a: package(slug: "x") {{ title }} a: package(slug: "{slug}") {{ slug }} }}' for slug in "xy"
    )
    assert for_all(same) is not None
    assert shape(same) != shape(different)
    assert read_document(different, schema._schema).errors


async def test_a_text_that_is_written_like_a_known_shape_is_no_graphql() -> None:
    documents = DocumentCache(DOCUMENT_LIMITS)
    known = await documents.find_aside(SLUG % "x")
    assert known.literals is not None
    for _ in range(2):
        pretended = await documents.find_aside(known.text)
        assert [error.message[:12] for error in pretended.document.errors] == ["Syntax Error"]
        assert documents.read(known.text).errors
        assert (await documents.find_aside(SLUG % "y")).document is known.document


async def test_a_document_is_read_once_for_all_texts_of_its_shape() -> None:
    documents = DocumentCache(DOCUMENT_LIMITS)
    first, second = [await documents.find_aside(SLUG % slug) for slug in "ab"]
    assert first.document is second.document
    assert first.text == second.text
    assert first.literals is not None
    assert second.literals is not None
    assert (first.literals.values, second.literals.values) == ({"0": "a"}, {"0": "b"})


async def test_a_longer_text_of_a_known_shape_is_beyond_the_limit_of_bytes() -> None:
    documents = DocumentCache(_limits(bytes=200))
    assert not (await documents.find_aside(SLUG % "a")).document.errors
    assert (await documents.find_aside(SLUG % ("a" * 200))).document.errors


async def test_as_many_shapes_are_kept_as_documents() -> None:
    documents = DocumentCache(DOCUMENT_LIMITS)
    first = await documents.find_aside(SLUG % "a")
    # What is no GraphQL is kept too, and is read in no time.
    for number in range(CACHED_DOCUMENTS - 10):
        await documents.find_aside("{ #" + str(number))
    aliased = [f'{{ a{number}: package(slug: "%s") {{ title }} }}' for number in range(10)]
    last = [await documents.find_aside(text % "a") for text in aliased]
    for text, found in zip(aliased, last, strict=True):
        assert (await documents.find_aside(text % "b")).document is found.document
    assert (await documents.find_aside(SLUG % "a")).document is not first.document


def _limits(**limits: int) -> DocumentLimits:
    return replace(DOCUMENT_LIMITS, **limits)
