"""What plan nodes say of records is kept as subtrees of answers: of which plan nodes, and from which answers."""

from __future__ import annotations

import msgspec
import pytest
from graphql import parse
from msgspec.structs import replace

from engine import AnswerSubtreeCache, ByteBudget, Engine
from gateway.prepared_request import GraphQLRequest
from tests.support.answer_subtrees import answer, gateway_of, subtrees_of
from tests.support.gateway_in_process import gateway_over
from tests.support.made_records import category, grid, package
from tests.support.schema_with_everything import ROCKS
from tests.support.schema_with_everything import schema as everything
from tests.support.upstream_without_http import MadeSource
from upstream.client import PackageRecord, Record

MEMBERS = tuple(range(1, 8))
RECORDS: list[Record] = [
    category(1, title="Apps"),
    *(package(id, title=f"Package {id}", grids=(1, 2)) for id in MEMBERS),
    *(grid(id, title=f"Grid {id}", packages=MEMBERS) for id in (1, 2)),
]
PACKAGE_WITH_GRIDS = '{ package(slug: "slug-1") { title grids { title packages { title slug } } } }'


async def test_a_subtree_is_made_the_second_time_and_found_the_third() -> None:
    gateway = gateway_of(RECORDS)
    counted: list[tuple[int, int]] = []
    for _ in range(3):
        await answer(gateway, PACKAGE_WITH_GRIDS)
        subtrees = subtrees_of(gateway)
        counted.append((len(subtrees), subtrees.found))
    # The package with all below it, and both grids; their packages are made as fast as they would be found.
    assert counted == [(0, 0), (3, 0), (3, 1)]


async def test_records_are_met_one_by_one() -> None:
    gateway = gateway_of(RECORDS)
    text = "query($first: Int) { packages(first: $first) { nodes { id databaseId } } }"
    # The last page is asked for a second time, so it is a subtree too.
    for first, kept in [(3, 0), (2, 2), (5, 2), (5, 5 + 1)]:
        await answer(gateway, text, first=first)
        assert len(subtrees_of(gateway)) == kept


async def test_plans_that_differ_above_share_the_subtrees_below() -> None:
    gateway = gateway_of(RECORDS)
    await answer(gateway, PACKAGE_WITH_GRIDS, times=2)
    kept = len(subtrees_of(gateway))
    whole = await answer(gateway, '{ grid(slug: "grid-1") { title packages { title slug } } }')
    other = await answer(
        gateway,
        """{ p: package(slug: "slug-2") { slug g: grids { ...G } } }
        fragment G on Grid { title packages { title slug } }""",
    )
    assert whole["data"]["grid"] == other["data"]["p"]["g"][0]
    assert subtrees_of(gateway).found == 1 + 2
    assert len(subtrees_of(gateway)) == kept


@pytest.mark.parametrize(
    "other",
    [
        "{ id title databaseId }",
        "{ id databaseId t: title }",
        "{ id databaseId title slug }",
        "{ databaseId id title }",
        "{ id: databaseId databaseId: id title }",
        "{ __typename id databaseId title }",
    ],
)
async def test_subtrees_are_shared_only_where_all_is_the_same(other: str) -> None:
    gateway = gateway_of(RECORDS)
    await answer(gateway, '{ package(slug: "slug-1") { id databaseId title } }', times=3)
    assert subtrees_of(gateway).found == 1
    text = f'{{ package(slug: "slug-1") {other} }}'
    bodies = [(await gateway.execute(GraphQLRequest(text))).body for _ in range(3)]
    without = gateway_of(RECORDS, response_cache_bytes=0)
    assert bodies == [(await without.execute(GraphQLRequest(text))).body] * 3
    assert subtrees_of(gateway).found == 2


async def test_arguments_that_stand_in_the_text_are_a_part_of_what_is_said() -> None:
    engine = Engine(everything)
    subtrees = AnswerSubtreeCache({"Stone": {id(rock): rock for rock in ROCKS}}, id, ByteBudget(1_000_000))
    for factor, weights in ((1, ["2.5 kg", "7.0 kg"]), (2, ["5.0 kg", "14.0 kg"])):
        text = f'{{ everything(kinds: ["rock"]) {{ ... on Stone {{ weightIn(factor: {factor}) }} }} }}'
        for _ in range(3):
            ran = await engine.run(text, parse(text), None, None, None, subtrees=subtrees)
            assert msgspec.json.decode(ran.data) == {"everything": [{"weightIn": each} for each in weights]}
    assert subtrees.found == 4


async def test_values_of_variables_and_literals_never_give_the_answer_of_others() -> None:
    gateway = gateway_of([category(1), package(1, commits_over_52=(*[0] * 50, 3, 4))])
    below = "commitActivity { lastWeeks(n: WEEKS) } id databaseId"
    for weeks, commits in ((1, 4), (2, 7), (1, 4)):
        literal = f'{{ package(slug: "slug-1") {{ {below.replace("WEEKS", str(weeks))} }} }}'
        variable = f'query($n: Int!) {{ package(slug: "slug-1") {{ {below.replace("WEEKS", "$n")} }} }}'
        for found in (
            await answer(gateway, literal, times=3),
            await answer(gateway, variable, times=3, n=weeks),
        ):
            assert found["data"]["package"]["commitActivity"] == {"lastWeeks": commits}


@pytest.mark.parametrize(
    "below",
    [
        "id daysSinceLastCommit",
        "id isOnGrid(slug: $slug)",
        "id relatedPackages { __typename }",
        "id contributors { login }",
        "commitActivity { lastWeeks(n: $weeks) }",
        "category { id packageCount }",
        "grids { id stars { total } }",
    ],
)
async def test_what_depends_on_more_than_the_record_is_in_no_subtree(below: str) -> None:
    gateway = gateway_of(RECORDS)
    weeks = "$weeks: Int!" if "$weeks" in below else ""
    text = f"query($slug: String!, {weeks}) {{ package(slug: $slug) {{ {below} }} }}"
    await answer(gateway, text, times=3, slug="slug-1", weeks=3)
    assert len(subtrees_of(gateway)) == 0


async def test_conditions_decide_which_subtree_it_is() -> None:
    gateway = gateway_of(RECORDS)
    text = 'query($with: Boolean!) { package(slug: "slug-1") { id databaseId title @include(if: $with) } }'
    for is_with in (True, False, True):
        found = await answer(gateway, text, times=3, **{"with": is_with})
        assert ("title" in found["data"]["package"]) is is_with
    assert len(subtrees_of(gateway)) == 2


async def test_an_answer_with_an_error_is_not_kept() -> None:
    unfit = package(1, unfit=("last_updated",), grids=(1,))
    gateway = gateway_of([category(1), unfit, package(2), grid(1, packages=(1, 2))])
    found = await answer(gateway, '{ grid(slug: "grid-1") { packages { slug lastUpdated } } }', times=4)
    assert [error["path"] for error in found["errors"]] == [["grid", "packages", 0, "lastUpdated"]]
    # Of the package without an error there is one.
    assert (len(subtrees_of(gateway)), subtrees_of(gateway).found) == (1, 0)


async def test_nothing_is_kept_of_what_was_loaded_live() -> None:
    members = MEMBERS[:2]
    in_catalog = [each for each in RECORDS if not isinstance(each, PackageRecord) or each.id in members]
    source = MadeSource(RECORDS)
    source.publish(in_catalog)
    gateway = gateway_over(source.as_source())
    await answer(gateway, PACKAGE_WITH_GRIDS, times=4)
    await answer(gateway, '{ package(slug: "slug-7") { id databaseId } }', times=4)
    assert len(subtrees_of(gateway)) == 0
    # The grids have members that had to be loaded.
    assert ("package", 7) in source.batcher.asked


async def test_a_record_that_was_loaded_live_has_no_subtree_of_one_with_its_id() -> None:
    """A live record and one of the catalog can have one id: the catalog knows it by another slug."""
    live = package(1, slug="new", title="New")
    source = MadeSource([category(1), live])
    source.publish([category(1), replace(live, slug="old", title="Old")])
    gateway = gateway_over(source.as_source())
    old = '{ package(slug: "old") { id databaseId title } }'
    assert (await answer(gateway, old, times=3))["data"]["package"]["title"] == "Old"
    assert subtrees_of(gateway).found == 1
    new = await answer(gateway, old.replace("old", "new"), times=3)
    assert new["data"]["package"]["title"] == "New"
    assert subtrees_of(gateway).found == 1


async def test_without_a_catalog_nothing_is_kept() -> None:
    gateway = gateway_over(MadeSource(RECORDS, known=None).as_source())
    assert "errors" not in await answer(gateway, PACKAGE_WITH_GRIDS, times=3)


async def test_objects_of_abstract_types_have_subtrees_by_their_own() -> None:
    gateway = gateway_of(RECORDS)
    text = """{ nodes(ids: ["UGFja2FnZTox", "R3JpZDox"]) {
      id ... on Package { databaseId } ... on Grid { slug packages { id } } } }"""
    await answer(gateway, text, times=3)
    assert subtrees_of(gateway).found == 2
