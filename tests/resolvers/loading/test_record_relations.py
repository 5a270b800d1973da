"""A declared relation gives the same record by record, for Strawberry, and all at once, for the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from catalog.freshness import Snapshot
from engine import ListsByKey
from resolvers import grid, package_relations
from resolvers.loading.record_relations import ToMany, ToOne
from resolvers.loading.request_context import Context
from resolvers.loading.request_loaders import Loaders
from tests.support.gateway_in_process import context_over
from tests.support.made_records import catalog_of
from tests.support.upstream_without_http import MadeSource, made_records
from upstream.batching.batcher import Batcher
from upstream.client.exchange_receipt import Receipt, recording
from upstream.client.v4_records import GridRecord, PackageRecord

RECORDS = made_records()
RELATIONS: dict[str, tuple[ToOne[Any] | ToMany[Any], type]] = {
    "package.category": (package_relations.category, PackageRecord),
    "package.grids": (package_relations.grids, PackageRecord),
    "grid.packages": (grid.packages, GridRecord),
}


def context_of(source: MadeSource, snapshot: Snapshot | None) -> Context:
    return context_over(Loaders(cast(Batcher, source.batcher), snapshot), snapshot, source.as_source())


@pytest.mark.parametrize("known", [1.0, 0.5, None], ids=["all known", "half known", "nothing known"])
@pytest.mark.parametrize("name", RELATIONS)
async def test_both_ways_find_the_same(name: str, known: float | None) -> None:
    relation, of = RELATIONS[name]
    roots = [record for record in RECORDS if isinstance(record, of)]
    roots += roots[:3]
    found: list[Any] = []
    receipts = [Receipt(), Receipt()]
    for at_once, receipt in zip((True, False), receipts, strict=True):
        source = MadeSource(RECORDS, known=known)
        context = context_of(source, await source.refreshed())
        with recording(receipt):
            if at_once:
                values: Any = relation.known(roots, context)
                if values is None:
                    values = await relation.load(roots, context)
                elif isinstance(values, dict):
                    assert isinstance(relation, ToOne)
                    receipt.from_memory += len(roots)  # as the engine's run counts them
                    values = [values[getattr(root, relation.key)] for root in roots]
                elif isinstance(values, ListsByKey):
                    receipt.from_memory += values.count
                    values = [[values.found[key] for key in keys] for keys in values.keys]
            else:
                info: Any = SimpleNamespace(context=context)
                values = [await relation.resolve(root, info) for root in roots]
        found.append(
            [[_shown(item) for item in value] if isinstance(value, list) else value for value in values]
        )
        assert len(source.batcher.asked) == len(set(source.batcher.asked))
    assert found[0] == found[1]
    assert receipts[0].from_memory == receipts[1].from_memory


def _shown(item: object) -> object:
    return str(item) if isinstance(item, Exception) else item


async def test_a_grid_that_was_loaded_live_is_not_taken_for_the_one_that_the_catalog_has_sorted() -> None:
    records = [record for record in RECORDS if not isinstance(record, GridRecord)]
    (old,) = [record for record in RECORDS if isinstance(record, GridRecord) and record.id == 4]
    source = MadeSource(RECORDS)
    snapshot = await source.refreshed()
    assert snapshot is not None
    context = context_of(source, Snapshot(catalog_of(*records, old), snapshot.refreshed_at))
    live = GridRecord(**{name: getattr(old, name) for name in old.__struct_fields__} | {"packages": (2, 1)})
    found = grid.packages.known([live], context)
    assert isinstance(found, ListsByKey)
    assert {id for ids in found.keys for id in ids} == found.found.keys() == {1, 2}
