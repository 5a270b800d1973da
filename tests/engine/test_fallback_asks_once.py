"""What the engine was given before it falls back is not asked for again."""

from __future__ import annotations

import asyncio

import pytest

from catalog.indexed_catalog import Catalog
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import STATES
from tests.support.upstream_without_http import MadeSource, MadeUpstream, made_records
from upstream.client.v4_records import SearchHitRecord

RECORDS = made_records()


class Counting(MadeSource):
    catalogs = 0

    async def first_catalog(self) -> Catalog:
        self.catalogs += 1
        return await super().first_catalog()


class CutOff(MadeUpstream):
    """Raise as a gateway does that stops while it searches."""

    async def search(self, query: str) -> tuple[SearchHitRecord, ...]:
        await asyncio.sleep(0)
        raise asyncio.CancelledError


async def test_a_search_is_asked_once() -> None:
    source = MadeSource(RECORDS)
    text = '{ search(query: "email") { totalCount } node(id: "no id") { id } }'
    answer = await gateway_over(source.as_source()).execute(GraphQLRequest(text))
    assert answer.failed
    assert source.batcher.asked.count(("search", "email")) == 1


async def test_nobody_waits_twice_for_the_first_catalog() -> None:
    source = Counting(RECORDS, known=None)
    answer = (
        await gateway_over(source.as_source()).execute(GraphQLRequest("{ stats { packageCount } }"))
    ).decoded()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UPSTREAM_UNAVAILABLE"]
    assert source.catalogs == 1


@pytest.mark.parametrize("names", ['"x"', '"x", "X", "y"'])
async def test_a_key_that_was_not_looked_up_counts_once(names: str) -> None:
    source = MadeSource(RECORDS, **STATES["half known"])
    text = f"{{ packagesByPypiName(names: [{names}]) {{ slug }} stats {{ mostStarred(first: 101) {{ slug }} }} }}"
    gateway = gateway_over(source.as_source())
    answer = (await gateway.execute(GraphQLRequest(text))).decoded()
    assert gateway.engine is not None
    assert gateway.engine.fallbacks
    assert answer["extensions"]["freshness"]["notLookedUp"] == len(set(names.lower().split(", ")))


async def test_an_answer_without_data_says_nothing_of_keys() -> None:
    source = MadeSource(RECORDS, **STATES["half known"])
    text = '{ packagesByPypiName(names: ["x"]) { slug } packages(first: 101) { totalCount } }'
    request = GraphQLRequest(text, on_error="HALT")
    answer = (await gateway_over(source.as_source()).execute(request)).decoded()
    assert answer["data"] is None
    assert "extensions" not in answer


@pytest.mark.parametrize("beside", ["", "changes { totalCount }"])
async def test_who_is_cut_off_is_not_handed_over(beside: str) -> None:
    source = MadeSource(RECORDS)
    source.batcher = CutOff(RECORDS, {})
    gateway = gateway_over(source.as_source())
    with pytest.raises(asyncio.CancelledError):
        await gateway.execute(
            GraphQLRequest(f'{{ search(query: "email", first: 1) {{ totalCount }} {beside} }}')
        )
    assert gateway.engine is not None
    assert not gateway.engine.fallbacks
