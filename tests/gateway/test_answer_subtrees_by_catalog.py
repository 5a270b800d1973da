"""Subtrees of answers belong to one catalog: they are freed with it, and share the memory of the cached answers."""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from collections import Counter
from typing import Any
from weakref import WeakSet

from graphql import GraphQLObjectType

from engine import AnswerSubtreeCache, ByteBudget
from engine.answer_subtree_cache import MAX_MET, SIGNATURE_MET
from engine.selection_signatures import SelectionSignature
from gateway import AnswerKey, Gateway
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest
from tests.support.answer_subtrees import subtrees_of
from tests.support.gateway_in_process import gateway_over
from tests.support.made_records import category, grid, package
from tests.support.numbers_of_examples import share_of
from tests.support.upstream_without_http import MadeSource
from upstream.client import Record

MEMBERS = tuple(range(1, 31))
TEXTS = [
    "{ packages(first: 30) { nodes { id title grids { title } } } }",
    '{ grid(slug: "grid-1") { title packages { title } } }',
]


def records(round: int) -> list[Record]:
    """Return the records of a catalog, which has other titles in each round."""
    return [
        category(1),
        grid(1, title=f"Grid {round}", packages=MEMBERS),
        *(package(id, title=f"Package {id} {round}", grids=(1,)) for id in MEMBERS),
    ]


async def answers(gateway: Gateway) -> list[Any]:
    return [(await gateway.execute(GraphQLRequest(text))).decoded()["data"] for text in TEXTS]


async def test_a_new_catalog_begins_without_subtrees() -> None:
    source = MadeSource(records(0))
    gateway = gateway_over(source.as_source())
    for round in range(4):
        source.publish(records(round))
        for _ in range(3):
            packages, grids = await answers(gateway)
            assert packages["packages"]["nodes"][0]["grids"] == [{"title": f"Grid {round}"}]
            assert packages["packages"]["nodes"][0]["title"] == f"Package 30 {round}"
            assert grids["grid"]["packages"][0]["title"] == f"Package 1 {round}"


async def test_catalogs_that_are_asked_in_turn_keep_their_own() -> None:
    source = MadeSource(records(0))
    gateway = gateway_over(source.as_source())
    snapshots = []
    for round in range(2):
        source.publish(records(round))
        snapshots.append(source.latest)
    for _ in range(4):
        for round, snapshot in enumerate(snapshots):
            answer = await gateway.execute(GraphQLRequest(TEXTS[1]), snapshot)
            assert answer.decoded()["data"]["grid"]["title"] == f"Grid {round}"
    for snapshot in snapshots:
        assert snapshot is not None
        assert gateway.subtrees.of(snapshot.catalog).found == 2


async def test_no_answer_mixes_catalogs_that_are_replaced_while_it_is_made() -> None:
    source = MadeSource(records(0))
    gateway = gateway_over(source.as_source())
    texts = [
        *TEXTS,
        "{ packages(first: 30) { nodes { title grids { title packages { title databaseId } } } } }",
    ]
    working: list[asyncio.Task[GraphQLAnswer]] = []
    tried = share_of(range(30))
    for round in tried:
        source.publish(records(round))
        for turn in range(4):
            working += [
                asyncio.create_task(gateway.execute(GraphQLRequest(text)))
                for text in (*texts, texts[turn % 3])
            ]
            await asyncio.sleep(0)
    rounds: set[bytes] = set()
    for answer in await asyncio.gather(*working):
        assert not answer.failed
        found = set(re.findall(rb'"title":"(?:Package \d+|Grid) (\d+)"', answer.body))
        assert len(found) == 1
        rounds |= found
    assert len(rounds) > len(tried) * 2 / 3


async def test_memory_after_a_hundred_catalogs_is_that_after_two() -> None:
    source = MadeSource(records(0))
    gateway = gateway_over(source.as_source())
    counted: list[tuple[Counter[str], int, int]] = []
    last = len(share_of(range(100)))
    for round in range(1, last + 1):
        source.publish(records(round))
        for _ in range(3):
            await answers(gateway)
        assert len(subtrees_of(gateway)) == 32  # the packages, their page and the grid
        if round in (2, last):
            gc.collect()
            kinds = Counter(type(each).__name__ for each in gc.get_objects())
            ours = Counter(
                {
                    name: kinds[name]
                    for name in ("AnswerSubtreeCache", "SelectionSignature", "Catalog", "BudgetEntry")
                }
            )
            counted.append((ours, gateway.answers.budget.taken, sys.getallocatedblocks()))
    (kinds_2, bytes_2, blocks_2), (kinds_100, bytes_100, blocks_100) = counted
    assert kinds_2 == kinds_100
    # Titles are longer by the digits of the round.
    assert bytes_2 <= bytes_100 <= bytes_2 + 1000
    # Subtrees of one catalog take hundreds of blocks.
    assert blocks_100 < blocks_2 + 2000


async def test_subtrees_used_longest_ago_make_room_for_others() -> None:
    gateway = gateway_over(MadeSource(records(0)).as_source(), response_cache_bytes=100_000)
    budget = gateway.answers.budget

    async def ask(key: str) -> None:
        slugs = " ".join(f'"slug-{id}"' for id in MEMBERS[:20])
        text = f"{{ packagesBySlug(slugs: [{slugs}]) {{ {key}: id databaseId }} }}"
        assert not (await gateway.execute(GraphQLRequest(text))).failed
        assert budget.taken <= 100_000

    async def is_found(key: str) -> bool:
        before = subtrees_of(gateway).found
        await ask(key)
        return subtrees_of(gateway).found > before

    for key in ("k1", "k2"):
        await ask(key)
        await ask(key)
    size = budget.taken // 2
    assert await is_found("k1")
    for key in [f"other{number}" for number in range(100_000 // size - 1)]:
        await ask(key)
        await ask(key)
    assert await is_found("k1")
    assert not await is_found("k2")


async def test_cached_answers_and_subtrees_share_their_memory() -> None:
    gateway = gateway_over(MadeSource(records(0)).as_source(), response_cache_bytes=100_000)
    for _ in range(2):
        await answers(gateway)
    assert len(subtrees_of(gateway)) > 0
    for number in range(20):
        key = AnswerKey(GraphQLRequest(f"{{ a{number}: __typename }}"))
        gateway.answers.keep(key, "version", b"x" * 10_000, "version")
    assert len(subtrees_of(gateway)) == 0
    assert gateway.answers.budget.taken <= 100_000


async def test_without_memory_for_answers_there_are_no_subtrees() -> None:
    gateway = gateway_over(MadeSource(records(0)).as_source(), response_cache_bytes=0)
    for _ in range(4):
        await answers(gateway)
    assert len(subtrees_of(gateway)) == 0


async def test_a_subtree_that_is_too_large_is_not_kept() -> None:
    long: list[Record] = [category(1), package(1, title="x" * 2000), package(2)]
    gateway = gateway_over(MadeSource(long).as_source(), response_cache_bytes=64 * 2000)
    for slug in ("slug-1", "slug-2"):
        for _ in range(3):
            await gateway.execute(GraphQLRequest(f'{{ package(slug: "{slug}") {{ id title }} }}'))
    assert (len(subtrees_of(gateway)), subtrees_of(gateway).found) == (1, 1)


def test_forms_that_were_met_once_are_forgotten_in_time() -> None:
    record = package(1)
    subtrees = AnswerSubtreeCache({"Package": {1: record}}, lambda record: record.id, ByteBudget(1_000_000))
    type_ = GraphQLObjectType("Package", {})
    signatures: WeakSet[SelectionSignature] = WeakSet()
    for number in range(3 * MAX_MET // SIGNATURE_MET):
        field = (f"k{number}", "title", (), None)
        signature = SelectionSignature(
            type_, (field,), is_cached=True, steps=1, relations=(), values=(), is_of_records=True
        )
        signatures.add(signature)
        assert subtrees.wanted(signature, [record]) is None
        assert len(signatures) <= MAX_MET // SIGNATURE_MET + 1
