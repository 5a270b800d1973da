"""The limits on a parsed document, before it is validated: accepted at the limit, refused beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from graphql import get_introspection_query, parse

from resolvers.errors import TooComplex
from web.limits import DEFAULT_LIMITS, Limits, check_document, check_text

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.graphql"))
ANYTHING = Limits(*[10**12] * len(Limits.__slots__))


def beyond(text: str, limits: Limits = DEFAULT_LIMITS) -> tuple[str, int] | None:
    """The limit that a document is beyond, and what it has."""
    try:
        check_document(parse(text), limits)
    except TooComplex as error:
        return error.limit, error.value
    return None


def has(text: str, **limit: int) -> int:
    """What a document has of something: with one less it is refused, and with that it is not."""
    ((name, _),) = limit.items()
    found = beyond(text, replace(ANYTHING, **limit))
    assert found is not None
    assert found[0] == name
    assert beyond(text, replace(ANYTHING, **{name: found[1] - 1})) == found
    assert beyond(text, replace(ANYTHING, **{name: found[1]})) is None
    return found[1]


@pytest.mark.parametrize(
    ("text", "limit", "sentence"),
    [
        (
            "{ a } query B { b } fragment F on Q { c }",
            Limits(definitions=2),
            "The document has 3 operations and fragments; 2 are allowed.",
        ),
        (
            "{ a { b { ...F } } } fragment F on C { c }",
            Limits(depth=2),
            "The document has fields 3 deep, fragments included; 2 are allowed.",
        ),
        (
            "{ a { ...F } b { ...F } } fragment F on A { c }",
            Limits(selections=5),
            "The document selects 6 fields and fragments, each fragment counted wherever it is spread; "
            "5 are allowed.",
        ),
        (
            "{ a { ...F } b { ...F } } fragment F on A { x: c }",
            Limits(aliases=1),
            "The document has 2 aliases, those of a fragment counted wherever it is spread; 1 are allowed.",
        ),
        (
            "{ a ...F } fragment F on Q { b c { d } }",
            Limits(root_fields=2),
            "An operation has 3 root fields, fragments included; 2 are allowed.",
        ),
        (
            "{ a a a }",
            Limits(repeated_fields=2),
            "The document repeats fields: 3 pairs of them have one name in one place of the answer; "
            "2 are allowed.",
        ),
        (
            "{ categories { slug } }",
            Limits(values=10),
            "The answer may have 11 values, 10 in each list without pages; 10 are allowed. Ask for shorter pages, "
            "or for fewer lists in lists.",
        ),
    ],
)
def test_each_limit_has_its_sentence(text: str, limit: Limits, sentence: str) -> None:
    with pytest.raises(TooComplex) as caught:
        check_document(parse(text), limit)
    assert str(caught.value) == sentence
    name = caught.value.limit
    assert caught.value.allowed == getattr(limit, name)
    assert beyond(text, replace(limit, **{name: caught.value.value})) is None


def test_depth_is_of_the_deepest_definition_with_its_fragments() -> None:
    assert has("{ a }", depth=0) == 1
    assert has("{ a { ... { b { ... on C { c } } } } }", depth=0) == 3
    assert has("query A { a } query B { a { b } }", depth=0) == 2
    assert has("{ ...F } fragment G on Q { b { c } } fragment F on Q { a { ...G } }", depth=0) == 3
    assert has("{ a } fragment Unused on Q { a { b } }", depth=0) == 2


def test_selections_are_counted_in_each_place_of_a_fragment() -> None:
    assert has("{ a }", selections=0) == 1
    assert has("{ a ... { b } }", selections=0) == 3
    assert has("{ ...F } fragment F on Q { a b }", selections=0) == 3
    assert has("{ ...F ...F } fragment F on Q { a b }", selections=0) == 6
    assert has("query A { ...F } query B { ...F } fragment F on Q { a }", selections=0) == 4
    assert has("{ a } fragment Unused on Q { a }", selections=0) == 2


def test_aliases_are_counted_in_each_place_of_a_fragment() -> None:
    assert has("{ x: a y: b c }", aliases=0) == 2
    assert has("query A { ...F } query B { x: a { ...F } } fragment F on Q { x: a }", aliases=0) == 3
    assert beyond("{ a b c }", replace(ANYTHING, aliases=0)) is None


def test_root_fields_are_those_of_the_widest_operation() -> None:
    assert has("{ a { b c d } }", root_fields=0) == 1
    assert (
        has("query A { a } query B { a ... { b } ...F } fragment F on Q { c { d e f } }", root_fields=0) == 3
    )
    assert beyond("{ a } fragment Unused on A { a b c }", replace(ANYTHING, root_fields=1)) is None


def test_repeated_fields_are_pairs_of_one_name_in_one_place() -> None:
    assert beyond("{ a { x } b { x } x: c }", replace(ANYTHING, repeated_fields=0)) is None
    assert has("{ a x: b x: c }", repeated_fields=0) == 1
    assert has("{ a a a a }", repeated_fields=0) == 6
    assert has("{ a ... { a } ...F ...F } fragment F on Q { a }", repeated_fields=0) == 3


def test_fields_are_repeated_in_what_their_parents_share() -> None:
    assert has("{ a { x y } a { x y } }", repeated_fields=0) == 1 + 2
    assert has("{ a { x } ...F } fragment F on Q { a { x } ... { a { x } } }", repeated_fields=0) == 3 + 3
    assert has("{ a { b { x } } a { b { x } } }", repeated_fields=0) == 3


def test_values_are_those_of_lists_in_lists() -> None:
    assert has("{ categories { slug title } }", values=0) == 1 + 10 * 2
    assert has('{ grid(slug: "a") { packages { grids { slug } } } }', values=0) == 1 + 1 + 10 * (1 + 10)
    assert has("{ packages { nodes { slug } } }", values=0) == 1 + 20 * (1 + 1)
    assert has("{ packages(first: 3) { edges { node { slug } } } }", values=0) == 1 + 3 * (1 + 1 + 1)
    assert has("{ packages(last: 3) { totalCount } }", values=0) == 1 + 3
    for first in ("100", "101", "9" * 5000):
        assert has(f"{{ packages(first: {first}) {{ totalCount }} }}", values=0) == 1 + 100
    assert has("query($n: Int) { packages(first: $n) { totalCount } }", values=0) == 1 + 100
    assert has('{ packagesBySlug(slugs: ["a", "b"]) { slug } }', values=0) == 1 + 2
    assert has("query($a: [String!]!) { packagesBySlug(slugs: $a) { slug } }", values=0) == 1 + 100
    assert has("query A { __typename } query B { categories { slug } }", values=0) == 1 + 10


def test_values_are_counted_in_each_place_of_a_fragment() -> None:
    of_node = "{ node(id: 1) { ...F ... on Package { ...F } } } fragment F on Package { grids { slug } }"
    assert has(of_node, values=0) == 1 + 2 * (1 + 10)
    assert has("{ unknown { unknown { slug } } ... on Nothing { unknown } }", values=0) == 2


@pytest.mark.parametrize("lists", [6, 8, 18])
def test_few_lists_in_one_another_are_more_than_any_answer_holds(lists: int) -> None:
    relations = [("grids", "packages")[place % 2] for place in range(lists)]
    text = "{ packages(first: 100) { nodes { " + " { ".join([*relations, "slug"]) + " }" * (lists + 3)
    found = beyond(text, replace(ANYTHING, values=DEFAULT_LIMITS.values))
    assert found is not None
    assert found[0] == "values"


def test_a_fragment_that_multiplies_itself_is_counted_without_being_walked() -> None:
    fragments = "".join(f"fragment F{i} on Q {{ ...F{i + 1} x: a {{ ...F{i + 1} }} }}" for i in range(90))
    text = "{ ...F0 } " + fragments + "fragment F90 on Q { x: a }"
    assert beyond(text, replace(ANYTHING, depth=90)) == ("depth", 91)
    assert beyond(text, replace(ANYTHING, selections=10_000)) == ("selections", 2**31 - 1)


def test_a_long_chain_of_fragments_is_no_matter_for_pythons_stack() -> None:
    chain = "".join(f"fragment F{i} on Q {{ ... {{ ...F{i + 1} }} }}" for i in range(5_000))
    text = "{ ...F0 } " + chain + "fragment F5000 on Q { a }"
    assert has(text, selections=0) == 10_002
    assert beyond(text, ANYTHING) is None


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F } fragment F on Q { a { ...F } }",
        "{ a } fragment F on Q { ...F }",
        "{ ...F } fragment F on Q { a ...G } fragment G on Q { b ...F }",
        "{ ...Unknown }",
        "{ }",
        "fragment F on Q { a }",
        "type A { a: Int }",
    ],
)
def test_what_is_wrong_otherwise_is_left_to_validation(text: str) -> None:
    assert beyond(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "{ a { %s } }",
        "{ a } fragment Unused on Q { %s }",
        "{ a { ...F } } fragment F on Q { %s a { ...F } }",
        "{ a { ...F } } fragment F on Q { %s } fragment F on Q { b }",
        "{ a { ...F } } fragment F on Q { b } fragment F on Q { %s }",
        "subscription { a { %s } }",
        "query A { a } query B { a { %s } }",
    ],
)
def test_repeats_are_found_wherever_validation_would_find_them(text: str) -> None:
    # 2,000 of them took validation two seconds.
    assert beyond(text % ("b { c } " * 101), DEFAULT_LIMITS) == ("repeated_fields", 10_100)
    assert beyond(text % ("b { c } " * 55), DEFAULT_LIMITS) is None


def _fragments_at_one_place(count: int) -> str:
    spreads = " ".join(f"...F{i}" for i in range(count))
    return f"{{ {spreads} }}" + "".join(f"fragment F{i} on Q {{ a }}" for i in range(count))


@pytest.mark.parametrize(
    ("attack", "count", "limit"),
    [
        (lambda n: "{ a { " + "".join(f"a{i}: b " for i in range(n)) + "} }", 200, "aliases"),
        (lambda n: "{ " + "".join(f"a{i} " for i in range(n)) + "}", 50, "root_fields"),
        (lambda n: "{ a }" * n, 60, "definitions"),
        (lambda n: _fragments_at_one_place(n - 1), 51, "root_fields"),
        (
            lambda n: "{ a {" + "... { ...F }" * n + "} } fragment F on A {" + "... { }" * 18 + "}",
            99,
            "selections",
        ),
        (lambda n: "{ " + "a { " * (n - 1) + "a" + " }" * n, 20, "depth"),
        (lambda n: "{ a { " + "b " * n + "} }", 77, "repeated_fields"),
    ],
)
def test_attacks_pass_at_the_default_and_no_further(
    attack: Callable[[int], str], count: int, limit: str
) -> None:
    assert beyond(attack(count)) is None
    found = beyond(attack(count + 1))
    assert found is not None
    assert found[0] == limit


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_far_within_the_limits(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tenth = Limits(*[getattr(DEFAULT_LIMITS, name) // 10 for name in Limits.__slots__])
    tenth = replace(tenth, depth=DEFAULT_LIMITS.depth // 2)
    check_text(text, tenth)
    check_document(parse(text), tenth)


def test_the_introspection_of_tools_is_within_the_limits() -> None:
    text = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    check_text(text, DEFAULT_LIMITS)
    check_document(parse(text), DEFAULT_LIMITS)
