"""The limits on a parsed document, before it is validated: accepted at the limit, refused beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, get_introspection_query, get_nullable_type, is_list_type, parse

from catalog.indexed_catalog import Catalog
from engine import TooComplex
from gateway.limits import DocumentLimits, check_document, check_text
from resolvers.lists.list_sizes import USUAL_SIZES, Length, ListSizes, list_sizes
from schema import schema
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.settings_for_tests import DOCUMENT_LIMITS

EXAMPLES = sorted((Path(__file__).parent.parent.parent.parent / "examples").glob("*.graphql"))
ANYTHING = DocumentLimits(*[10**12] * len(DocumentLimits.__slots__))


def beyond(text: str, limits: DocumentLimits = DOCUMENT_LIMITS) -> tuple[str, int] | None:
    """Return the limit that a document is beyond, and what it has."""
    try:
        check_document(parse(text), limits)
    except TooComplex as error:
        return error.limit, error.value
    return None


def has(text: str, **limit: int) -> int:
    """Return what a document has of something: with one less it is refused, and with that it is not."""
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
        (
            "{ categories { slug } }",
            replace(DOCUMENT_LIMITS, values=6),
            "The answer could have 7 values, with lists as long as those of the catalog; 6 are allowed. "
            "Ask for shorter pages or fewer nested lists.",
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


SIZES: ListSizes = {
    ("Query", "categories"): Length(6, 6),
    ("Grid", "packages"): Length(100, 20),
    ("Package", "grids"): Length(9, 2.5),
    ("Package", "participants"): Length(40, 10),
    ("Package", "commitsOver52"): Length(52, 52),
}


def values(text: str) -> int:
    """Return the estimate for a document over a catalog of these sizes."""
    with pytest.raises(TooComplex) as caught:
        check_document(parse(text), replace(ANYTHING, values=0), SIZES)
    assert caught.value.limit == "values"
    check_document(parse(text), replace(ANYTHING, values=caught.value.value), SIZES)
    return caught.value.value


def test_values_are_those_of_lists_in_lists() -> None:
    assert values("{ categories { slug title } }") == 1 + 6 * 2
    assert values("{ packages { nodes { slug } } }") == 1 + 20 * (1 + 1)
    assert values("{ packages(first: 3) { edges { node { slug } } } }") == 1 + 3 * (1 + 1 + 1)
    assert values("{ packages(last: 3) { totalCount } }") == 1 + 3
    assert values("{ packages(first: 0) { totalCount } }") == 1 + 1
    assert values("{ stats { newest { slug } } }") == 1 + 1 + 5
    for first in ("100", "101", "9" * 5000):
        assert values(f"{{ packages(first: {first}) {{ totalCount }} }}") == 1 + 100
    assert values("query($n: Int) { packages(first: $n) { totalCount } }") == 1 + 100
    assert values('{ packagesBySlug(slugs: ["a", "b"]) { slug } }') == 1 + 2
    assert values("query($a: [String!]!) { packagesBySlug(slugs: $a) { slug } }") == 1 + 100
    assert values("query A { __typename } query B { categories { slug } }") == 1 + 6


def test_one_of_several_lists_is_the_longest_of_its_kind_and_the_others_are_usual() -> None:
    assert values('{ grid(slug: "a") { packages { slug } } }') == 1 + 1 + 100
    assert values("{ grids(first: 5) { nodes { packages { slug } } } }") == 1 + 5 + 5 + (100 + 4 * 20)
    grids = 9 + 99 * 2.5
    nested = 1 + 1 + 100 + grids + (100 + (grids - 1) * 20)
    assert values('{ grid(slug: "a") { packages { grids { packages { slug } } } } }') == ceil(nested)


def test_the_items_of_lists_of_leaves_are_values_too() -> None:
    assert values('{ package(slug: "a") { commitsOver52 participants } }') == 1 + 52 + 40
    assert values("{ packages(first: 3) { nodes { participants } } }") == 1 + 3 + (40 + 2 * 10)


def test_values_are_counted_in_each_place_of_a_fragment() -> None:
    of_node = "{ node(id: 1) { ...F ... on Package { ...F } } } fragment F on Package { grids { slug } }"
    assert values(of_node) == 1 + 2 * (1 + 9)
    in_list = "{ packages(first: 3) { nodes { ...F } } } fragment F on Package { grids { slug } }"
    assert (
        values(in_list)
        == values("{ packages(first: 3) { nodes { grids { slug } } } }")
        == 1 + 3 + 3 + (9 + 5)
    )
    assert values("{ unknown { unknown { slug } } ... on Nothing { unknown } }") == 2


ATTACKS = {
    "the largest answer": """{ grids(first: 1, orderBy: PACKAGE_COUNT_DESC) { nodes { packages { grids { packages {
      grids { packages { commitsOver52 participants } } } } } } } }""",
    "packages, contributors, coContributors": """{ packages(first: 100) { nodes { contributors {
      coContributors(first: 100) { sharedPackageCount } } } } }""",
    "30 x 100 coContributors": """{ contributors(first: 30) { nodes { coContributors(first: 100) { contributor {
      coContributors(first: 100) { sharedPackageCount } } } } } }""",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_answers_of_many_megabytes_are_refused_before_they_are_made(
    attack: str, whole_catalog: Catalog
) -> None:
    with pytest.raises(TooComplex) as caught:
        check_document(parse(ATTACKS[attack]), DOCUMENT_LIMITS, list_sizes(whole_catalog))
    assert caught.value.limit == "values"
    assert beyond(ATTACKS[attack]) is not None


def test_the_sizes_are_those_of_the_catalog() -> None:
    known = catalog_of(
        *(category(id) for id in (1, 2)),
        grid(1, packages=(1, 2, 3)),
        grid(2, packages=(1,)),
        package(1, grids=(1, 2), participants=("a", "b")),
        package(2, grids=(1,), commits_over_52=None),
        package(3, grids=(1,), commits_over_52=(1,) * 52),
    )
    sizes = list_sizes(known)
    assert sizes.keys() == USUAL_SIZES.keys()
    # Three packages see a grid of three, and one a grid of one.
    assert sizes["Grid", "packages"] == Length(3, 2.5)
    assert sizes["Package", "grids"] == Length(2, 1.5)
    assert sizes["Package", "participants"] == Length(2, 2)
    assert sizes["Package", "commitsOver52"] == Length(52, 52)
    assert sizes["Query", "categories"] == Length(2, 2)
    assert list_sizes(catalog_of())["Grid", "packages"] == Length(1, 1)


def test_every_list_without_a_page_or_keys_has_a_size() -> None:
    every = {
        (type_.name, name)
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if is_list_type(get_nullable_type(field.type))
        and "pageInfo" not in type_.fields
        and "first" not in field.args
        and not any(is_list_type(get_nullable_type(each.type)) for each in field.args.values())
    }
    assert every - USUAL_SIZES.keys() == {("Change", "fields")}
    assert USUAL_SIZES.keys() <= every


@pytest.mark.parametrize("lists", [6, 8, 18])
def test_few_lists_in_one_another_are_more_than_any_answer_holds(lists: int) -> None:
    relations = [("grids", "packages")[place % 2] for place in range(lists)]
    text = "{ packages(first: 100) { nodes { " + " { ".join([*relations, "slug"]) + " }" * (lists + 3)
    found = beyond(text, replace(ANYTHING, values=DOCUMENT_LIMITS.values))
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
