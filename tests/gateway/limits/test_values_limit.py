"""The limit on the values of an answer, estimated from the lists of the catalog before they are made."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from graphql import GraphQLObjectType, get_nullable_type, is_list_type, parse

from catalog.indexed_catalog import Catalog
from engine import TooComplex
from gateway.limits import check_document
from resolvers.lists.list_sizes import USUAL_SIZES, Length, ListSizes, list_sizes
from schema import schema
from tests.support.documents_beyond_limits import ANYTHING, beyond
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.settings_for_tests import DOCUMENT_LIMITS

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
