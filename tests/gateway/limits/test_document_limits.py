"""The limits on a parsed document, before it is validated: accepted at the limit, refused beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from graphql import get_introspection_query, parse

from engine import TooComplex
from gateway.limits import DocumentLimits, check_document, check_text
from tests.support.documents_beyond_limits import ANYTHING, beyond, has
from tests.support.settings_for_tests import DOCUMENT_LIMITS

EXAMPLES = sorted((Path(__file__).parent.parent.parent.parent / "examples").glob("*.graphql"))


@pytest.mark.parametrize(
    ("text", "limit", "sentence"),
    [
        (
            "{ a } query B { b } fragment F on Q { c }",
            replace(DOCUMENT_LIMITS, definitions=2),
            "The document has 3 operations and fragments; 2 are allowed.",
        ),
        (
            "{ a { b { ...F } } } fragment F on C { c }",
            replace(DOCUMENT_LIMITS, depth=2),
            "The document nests fields 3 levels deep, fragments included; 2 are allowed.",
        ),
        (
            "{ a { ...F } b { ...F } } fragment F on A { c }",
            replace(DOCUMENT_LIMITS, selections=5),
            "The document selects 6 fields and fragments (a fragment counts at each spread); 5 are allowed.",
        ),
        (
            "{ a { ...F } b { ...F } } fragment F on A { x: c }",
            replace(DOCUMENT_LIMITS, aliases=1),
            "The document has 2 aliases (a fragment counts at each spread); 1 are allowed.",
        ),
        (
            "{ a ...F } fragment F on Q { b c { d } }",
            replace(DOCUMENT_LIMITS, root_fields=2),
            "An operation has 3 root fields, fragments included; 2 are allowed.",
        ),
        (
            "{ a a a }",
            replace(DOCUMENT_LIMITS, repeated_fields=2),
            "The document repeats fields: 3 pairs of them have the same name at the same place in the answer; "
            "2 are allowed.",
        ),
    ],
)
def test_each_limit_has_its_sentence(text: str, limit: DocumentLimits, sentence: str) -> None:
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


def test_a_fragment_that_multiplies_itself_is_counted_without_being_walked() -> None:
    fragments = "".join(f"fragment F{i} on Q {{ ...F{i + 1} x: a {{ ...F{i + 1} }} }}" for i in range(90))
    text = "{ ...F0 } " + fragments + "fragment F90 on Q { x: a }"
    assert beyond(text, replace(ANYTHING, depth=90)) == ("depth", 91)
    assert beyond(text, replace(ANYTHING, selections=10_000)) == ("selections", 2**31 - 1)


def test_a_long_chain_of_fragments_is_no_matter_for_pythons_stack() -> None:
    chain = "".join(f"fragment F{i} on Q {{ ... {{ ...F{i + 1} }} }}" for i in range(2_000))
    text = "{ ...F0 } " + chain + "fragment F2000 on Q { a }"
    assert has(text, selections=0) == 4_002
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
    assert beyond(text % ("b { c } " * 101), DOCUMENT_LIMITS) == ("repeated_fields", 10_100)
    assert beyond(text % ("b { c } " * 55), DOCUMENT_LIMITS) is None


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
    tenth = DocumentLimits(*[getattr(DOCUMENT_LIMITS, name) // 10 for name in DocumentLimits.__slots__])
    tenth = replace(tenth, depth=DOCUMENT_LIMITS.depth // 2)
    check_text(text, tenth)
    check_document(parse(text), tenth)


def test_the_introspection_of_tools_is_within_the_limits() -> None:
    text = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    check_text(text, DOCUMENT_LIMITS)
    check_document(parse(text), DOCUMENT_LIMITS)
