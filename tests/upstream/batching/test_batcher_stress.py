"""Tests many who come, share and leave in any order, over an upstream that fails and changes: nothing is left
behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from random import Random
from typing import Any, Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.batcher_with_held_answers import HeldBatcher, held_batcher
from tests.support.numbers_of_examples import examples
from upstream.client.upstream_errors import UpstreamError
from upstream.client.v4_records import (
    CATEGORY,
    GRID,
    PACKAGE,
    CategoryRecord,
    GridRecord,
    Kind,
    PackageRecord,
    Page,
)
from upstream.embedded import (
    BadField,
    Dropped,
    EmbeddedUpstream,
    Fault,
    InsertAfterList,
    Poisoned,
    RemoveAfterList,
    StatusFault,
    Truncated,
)

UPSTREAM = EmbeddedUpstream(packages=60)
PACKAGES = sorted(UPSTREAM.catalog.packages)
GONE = PACKAGES[30]
BAD = PACKAGES[31]
POISONED = PACKAGES[32]
CRAWLED = 33
V4_CHECK = "/categories/?limit=1&"
ROWS: dict[str, Literal["packages", "grids", "categories"]] = {
    "package": "packages",
    "grid": "grids",
    "category": "categories",
}

FAULTS = [
    Fault(StatusFault(500), rate=0.2),
    Fault(Dropped(), rate=0.2, seed=1),
    Fault(Truncated(framed=True), rate=0.2, seed=2),
    Fault(StatusFault(503), pattern="limit", rate=0.5, seed=3),
    Fault(BadField(BAD, "title", 7)),
    Fault(Poisoned(POISONED)),
    Fault(InsertAfterList()),
    Fault(RemoveAfterList(GONE)),
]


class Want(NamedTuple):
    """Someone who comes after so many turns of the loop, and may leave after so many more."""

    comes: int
    what: str
    kind: Kind[Any]
    keys: list[int | str]
    limit: int
    offset: int
    leaves: int | None


@st.composite
def wants(draw: st.DrawFn) -> Want:
    kinds: list[Kind[Any]] = [PACKAGE, PACKAGE, GRID, CATEGORY]
    kind = draw(st.sampled_from(kinds))
    rows = UPSTREAM.catalog.rows(ROWS[kind.singular])
    ids: list[int | str] = list(rows)
    keys = st.sampled_from([*ids, 4999])
    if kind is not CATEGORY:
        keys |= st.sampled_from([row.slug for row in rows.values()] + ["nope"])
    return Want(
        comes=draw(st.integers(0, 8)),
        what=draw(st.sampled_from(["fetch", "fetch", "fetch", "page", "crawl", "forget"])),
        kind=kind,
        keys=draw(st.lists(keys, max_size=40) | st.just(ids)),
        limit=draw(st.sampled_from([1, 7, 20, 100])),
        offset=draw(st.sampled_from([0, 7, 20, 40])),
        leaves=draw(st.none() | st.integers(0, 60)),
    )


async def satisfied(held: HeldBatcher, want: Want) -> object:
    if want.what == "fetch":
        return await held.batcher.fetch(want.kind, want.keys)
    if want.what == "page":
        return await held.batcher.page(want.kind, limit=want.limit, offset=want.offset)
    return await held.batcher.crawl_page(want.kind, limit=CRAWLED, offset=want.offset)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def visit(held: HeldBatcher, everyone: Iterable[Want]) -> list[tuple[Want, object]]:
    """Let everyone come and leave; what those who stayed have got."""
    tasks: list[tuple[Want, asyncio.Task[object]]] = []

    async def leave(task: asyncio.Task[object], after: int) -> None:
        await turns(after)
        task.cancel()

    leaving = []
    for want in everyone:
        await turns(want.comes)
        if want.what == "forget":
            held.batcher.forget()
            continue
        task = asyncio.create_task(satisfied(held, want))
        if want.leaves is None:
            tasks.append((want, task))
        else:
            leaving += [task, asyncio.create_task(leave(task, want.leaves))]
    for _ in range(100):
        await turns(100)
        if all(task.done() for task in [*leaving, *(task for _, task in tasks)]):
            break
    else:
        raise AssertionError("someone still waits")
    await asyncio.gather(*leaving, return_exceptions=True)
    outcomes = await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
    return [(want, outcome) for (want, _), outcome in zip(tasks, outcomes, strict=True)]


def is_right(want: Want, key: int | str, found: object, faults: list[Fault]) -> bool:
    """Return whether that may be what upstream has for the key."""
    if isinstance(found, UpstreamError):
        return bool(faults)
    rows = UPSTREAM.catalog.rows(ROWS[want.kind.singular]).values()
    there = {row.id: row for row in rows if key in (row.id, getattr(row, "slug", None))}
    if found is None:
        return not there or (GONE in there and any(isinstance(f.effect, RemoveAfterList) for f in faults))
    assert isinstance(found, PackageRecord | GridRecord | CategoryRecord)
    return found.id in there


@settings(deadline=None, max_examples=examples(30))
@given(
    everyone=st.lists(wants(), max_size=20),
    faults=st.lists(st.sampled_from(FAULTS), unique=True, max_size=3),
    in_flight=st.integers(1, 6),
    knows_positions=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_everyone_gets_an_answer_and_nothing_is_left_behind(
    everyone: list[Want], faults: list[Fault], in_flight: int, knows_positions: bool, seed: int
) -> None:
    async def run() -> None:
        upstream = EmbeddedUpstream(packages=60)
        for fault in faults:
            upstream.faults.add(fault)
        async with held_batcher(upstream, in_flight=in_flight) as held:
            held.turns = partial(Random(seed).randrange, 40)
            if knows_positions:
                held.know_positions()
            for want, outcome in await visit(held, everyone):
                if isinstance(outcome, dict):
                    assert outcome.keys() == set(want.keys)
                    assert all(is_right(want, key, found, faults) for key, found in outcome.items())
                elif isinstance(outcome, Page):
                    assert want.what != "fetch"
                else:
                    assert isinstance(outcome, UpstreamError)
                    assert faults
                    assert want.what != "fetch"
            held.answer_all()
            await turns(200)
            # The crawl asks for what it must see now, whoever else is waiting for an equal page. So does the client
            # when a record is missing, to see that this is a v4 API at all.
            excepted = f"limit={CRAWLED}&", V4_CHECK
            held.doubled = [target for target in held.doubled if not any(part in target for part in excepted)]

    asyncio.run(run())
