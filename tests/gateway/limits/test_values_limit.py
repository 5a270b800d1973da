"""The limit on the values of an answer, estimated from the lists of the catalog before they are made."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_nullable_type, is_list_type

from catalog.indexed_catalog import Catalog
from gateway.cost import USUAL_AVERAGES, catalog_averages
from gateway.prepared_request import GraphQLRequest
from resolvers.lists.list_sizes import USUAL_SIZES, Length, ListSizes, list_sizes
from schema import list_length, schema
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.predicted_costs import averages_of, predicted
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from upstream.embedded import EmbeddedUpstream

SIZES: ListSizes = {
    ("Query", "categories"): Length.same(6),
    ("Grid", "packages"): Length(100, 20, 14),
    ("Package", "grids"): Length(9, 2.5, 1.5),
    ("Package", "participants"): Length(40, 10, 4),
    ("Package", "commitsOver52"): Length.same(52),
}


def values(text: str, name: str | None = None, **variables: Any) -> int:
    """Return the most values that the answer can have over a catalog of these sizes."""
    return predicted(text, averages_of(SIZES), variables, name).most_values


def test_values_are_those_of_lists_in_lists() -> None:
    assert values("{ categories { slug title } }") == 6 * (1 + 2)
    assert values("{ packages { nodes { slug } } }") == 1 + 20 * (1 + 1)
    assert values("{ packages(first: 3) { edges { node { slug } } } }") == 1 + 3 * (1 + 1 + 1)
    assert (
        values("{ packages(first: 3) { ... { ...F } } } fragment F on PackageConnection { nodes { slug } }")
        == 7
    )
    assert (
        values("{ packages(last: 3) { totalCount pageInfo { endCursor } nodes { slug } } }") == 1 + 1 + 2 + 6
    )
    assert values("{ packages(first: 0) { totalCount nodes { slug } } }") == 1 + 1
    assert values("{ stats { newest { slug } } }") == 1 + 5 * 2
    assert values('{ packagesBySlug(slugs: ["a", "b"]) { slug } }') == 2 * 2
    assert values('{ packagesBySlug(slugs: "a") { slug } }') == 2
    assert values('{ package(slug: "a") { history(fields: ["title"], last: 7) { at } } }') == 1 + 7 * 2


def test_what_no_page_can_have_counts_as_the_longest() -> None:
    """Its field is an error, which costs nothing more."""
    for first in ("1000", "1001", "9" * 5000):
        assert values(f"{{ packages(first: {first}) {{ nodes {{ slug }} }} }}") == 1 + 1000 * 2
    assert values("{ packages(first: -5) { nodes { slug } } }") == 1


def test_pages_and_keys_in_variables_count_as_the_request_has_them() -> None:
    paged = "query($n: Int, $m: Int = 7) { packages(first: $n, last: $m) { nodes { slug } } }"
    assert values(paged, n=5) == 1 + 5 * 2
    assert values(paged, n=5.0) == 1 + 5 * 2
    assert values(paged, n=None, m=3) == 1 + 3 * 2
    assert values(paged) == 1 + 7 * 2
    assert values(paged, m=None) == 1 + 20 * 2
    for wrong in (10**400, 1e300, float("nan")):
        assert values(paged, n=wrong) == 1 + 1000 * 2
    assert values(paged, n=-1) == 1
    keyed = "query($a: [String!]!) { packagesBySlug(slugs: $a) { slug } }"
    assert values(keyed, a=["a"] * 30) == 30 * 2
    assert values(keyed, a="a") == 2
    assert values('query($a: [String!] = ["a", "b"]) { packagesBySlug(slugs: $a) { slug } }') == 2 * 2
    starred = "query($n: Int!) { stats { mostStarred(first: $n) { slug } } }"
    assert values(starred, n=9) == 1 + 9 * 2


def test_each_operation_of_a_document_counts_by_itself() -> None:
    both = "query A { __typename } query B { categories { slug } }"
    assert values(both, "A") == 1
    assert values(both, "B") == 6 * 2


def test_one_of_several_lists_is_the_longest_of_its_kind_and_the_others_are_usual() -> None:
    assert values('{ grid(slug: "a") { packages { slug } } }') == 1 + 100 * 2
    assert values("{ grids(first: 5) { nodes { packages { slug } } } }") == 1 + 5 + (100 + 4 * 20) * 2
    grids = 9 + 99 * 2.5
    nested = 1 + 100 + grids + (100 + (grids - 1) * 20) * 2
    assert values('{ grid(slug: "a") { packages { grids { packages { slug } } } } }') == ceil(nested)


def test_the_items_of_lists_of_leaves_are_values_too() -> None:
    assert values('{ package(slug: "a") { commitsOver52 participants } }') == 1 + 52 + 40
    assert values("{ packages(first: 3) { nodes { participants } } }") == 1 + 3 + (40 + 2 * 10)


def test_values_are_counted_in_each_place_of_a_fragment() -> None:
    of_node = "{ node(id: 1) { ...F ... on Package { ...F } } } fragment F on Package { grids { slug } }"
    assert values(of_node) == 1 + 2 * (9 * 2)
    in_list = "{ packages(first: 3) { nodes { ...F } } } fragment F on Package { grids { slug } }"
    assert values(in_list) == values("{ packages(first: 3) { nodes { grids { slug } } } }")
    assert values(in_list) == 1 + 3 + (9 + 2 * 2.5) * 2


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
    for averages in (USUAL_AVERAGES, catalog_averages(whole_catalog)):
        assert predicted(ATTACKS[attack], averages).most_values > DOCUMENT_LIMITS.values


async def test_a_refusal_has_the_number_the_limit_and_the_path_with_most_of_it(
    embedded: EmbeddedUpstream,
) -> None:
    async with source_over(embedded) as source:
        gateway = gateway_over(source, limit_values=100)
        text = "query A { packages(first: 3) { edges { node { grids { packages { slug title } } } } } }"
        refused = await gateway.execute(GraphQLRequest(text))
        values = predicted(text, name="A").most_values
    assert refused.failure == "unfit"
    sentence = (
        f"The answer could have {values:,} values, with lists as long as those of the catalog; 100 are allowed. "
        "Most of them are at query.packages.edges.node.grids.packages. "
        "Ask for shorter pages or fewer nested lists."
    )
    extensions = {
        "code": "OPERATION_TOO_COMPLEX",
        "limit": "values",
        "max": 100,
        "value": values,
        "path": "query.packages.edges.node.grids.packages",
    }
    assert refused.decoded() == {"errors": [{"message": sentence, "extensions": extensions}]}
    assert gateway.refused == {"values": 1}


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
    assert sizes["Grid", "packages"] == Length(3, 2.5, 2)
    assert sizes["Package", "grids"] == Length(2, 1.5, 4 / 3)
    assert sizes["Package", "participants"] == Length(2, 2, 2 / 3)
    assert sizes["Package", "commitsOver52"] == Length(52, 52, 52 / 3)
    assert sizes["Query", "categories"] == Length.same(2)
    assert list_sizes(catalog_of())["Grid", "packages"] == Length(1, 1, 0)


def test_every_list_without_a_page_or_keys_has_a_size() -> None:
    every = {
        (type_.name, name)
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if is_list_type(get_nullable_type(field.type))
        and "pageInfo" not in type_.fields
        and list_length(field) is None
    }
    assert every - USUAL_SIZES.keys() == {("Change", "fields")}
    assert USUAL_SIZES.keys() <= every


@pytest.mark.parametrize("lists", [6, 8, 18])
def test_few_lists_in_one_another_are_more_than_any_answer_holds(lists: int) -> None:
    relations = [("grids", "packages")[place % 2] for place in range(lists)]
    text = "{ packages(first: 100) { nodes { " + " { ".join([*relations, "slug"]) + " }" * (lists + 3)
    assert predicted(text).most_values > DOCUMENT_LIMITS.values
