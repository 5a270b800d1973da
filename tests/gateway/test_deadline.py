"""An operation has a deadline, gives the event loop its turns until then, and ends when nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from tests.support.answers_in_parts import parts_of
from tests.support.gateway_in_process import gateway_over
from tests.support.impatient_clients import until
from tests.support.streaming_gateway import (
    Served,
    http_client,
    received,
    send,
    served,
    server_sent,
    socket,
    subscribe,
)
from upstream.embedded import EmbeddedUpstream, Fault, Latency

ANY: dict[str, Any] = {"limit_values": 10**12, "limit_work": 10**12}
PACKAGE = '{ package(slug: "django-celery-email") { title } }'
TOO_LATE = {
    "errors": [
        {
            "message": "The operation took longer than 0.2 seconds, which is as long as one can take, and was ended.",
            "extensions": {"code": "OPERATION_TIMEOUT"},
        }
    ]
}
LONG = """{ packages(first: 50) { nodes { title grids { title packages { title repoUrl grids {
    title packages { title } } } } } } }"""
"""Half a second of work and more for Strawberry's execution, and a twentieth for the engine."""
ENDLESS = f"{{ packages {{ nodes {{ {'grids { packages { ' * 8} title {'} } ' * 8} }} }} }}"
"""Minutes of work in a catalog of 20 packages."""


def often(times: int) -> str:
    """Return the long operation so many times in one."""
    return f"{{ {' '.join(f'a{number}: {LONG.strip()[1:-1]}' for number in range(times))} }}"


@pytest.fixture
def known(known_source: CatalogSource) -> CatalogSource:
    return known_source


@pytest.mark.virtual_time
async def test_an_operation_that_waits_longer_is_ended_and_so_is_its_work_upstream(
    embedded: EmbeddedUpstream, source: CatalogSource, use_engine: bool
) -> None:
    embedded.faults.add(Fault(Latency(30)))
    gateway = gateway_over(source, use_engine=use_engine, limit_seconds=0.2)
    answer = await gateway.execute(GraphQLRequest(PACKAGE))
    assert answer.decoded() == TOO_LATE
    assert not answer.ran
    await until(lambda: source.client.exchanger.limiter.in_flight == 0)
    assert source.client.exchanger.outcomes == {"given up": 1}


async def test_an_operation_that_works_longer_is_ended(known: CatalogSource, use_engine: bool) -> None:
    gateway = gateway_over(known, use_engine=use_engine, **ANY, limit_answer_bytes=10**9, limit_seconds=0.001)
    answer = (await gateway.execute(GraphQLRequest(often(20)))).decoded()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["OPERATION_TIMEOUT"]


async def test_the_parts_of_an_answer_end_at_the_deadline(
    embedded: EmbeddedUpstream, known: CatalogSource
) -> None:
    gateway = gateway_over(known, **ANY, limit_answer_bytes=10**9, limit_seconds=0.001)
    sent = [
        part async for part in parts_of(gateway, LONG.replace("grids {", "... @defer { grids {", 1) + " }")
    ]
    assert sent
    codes = {
        error["extensions"]["code"]
        for part in sent
        for errors in [
            part.get("errors", []),
            *(done.get("errors", []) for done in part.get("completed", [])),
        ]
        for error in errors
    }
    assert codes == {"OPERATION_TIMEOUT"}


async def turns_during(work: asyncio.Task[Any]) -> int:
    """Return how often the event loop turned until the work was done."""
    turns = 0
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    return turns


async def check_turns(gateway: Gateway, query: str, own: int) -> None:
    """Check that the event loop turns while an operation works, which takes ``own`` turns if it never gives up one."""
    prepared = await gateway.prepare(GraphQLRequest(query), gateway.source.current())
    started = time.process_time()
    work = asyncio.create_task(gateway.run(prepared))
    turns = await turns_during(work)
    assert not (await work).failed
    # At least every 20 ms, each of which may have taken three times as long on a busy machine.
    assert turns > own + (time.process_time() - started) / 0.06


@pytest.mark.parametrize(
    ("use_engine", "query", "own"),
    [(True, often(10), 4), (False, LONG.replace("first: 50", "first: 10"), 13)],
    ids=["engine", "strawberry"],
)
async def test_the_event_loop_turns_while_an_operation_works(
    known: CatalogSource, use_engine: bool, query: str, own: int
) -> None:
    gateway = gateway_over(known, use_engine=use_engine, **ANY, limit_answer_bytes=10**9, limit_seconds=60)
    await check_turns(gateway, query, own)


async def test_the_event_loop_turns_while_subtrees_are_put_together(known: CatalogSource) -> None:
    gateway = gateway_over(known, **ANY, limit_answer_bytes=10**9, limit_seconds=60)
    for _ in range(2):
        assert not (await gateway.execute(GraphQLRequest(LONG))).failed
    assert known.latest is not None
    subtrees = gateway.subtrees.of(known.latest.catalog)
    found = subtrees.found
    await check_turns(gateway, often(30), 4)
    assert subtrees.found > found


async def test_operations_that_work_together_share_the_turns(known: CatalogSource) -> None:
    gateway = gateway_over(known, **ANY, limit_answer_bytes=10**9, limit_seconds=60)
    longest, last = 0.0, time.process_time()
    work = asyncio.gather(*(gateway.execute(GraphQLRequest(LONG)) for _ in range(10)))
    while not work.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.process_time() - last), time.process_time()
    assert not any(answer.failed for answer in await work)
    assert longest < 0.1  # one alone works for as long


@pytest.fixture(params=["engine", "strawberry"])
def gateway(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    engine = "on" if request.param == "engine" else "off"
    more: dict[str, Any] = {"limit_answer_bytes": 10**12, "limit_seconds": 600}
    with served(tmp_path / "catalog.sqlite", engine=engine, **ANY, **more) as gateway:
        yield gateway


async def is_at_work(gateway: Served, before: Set[asyncio.Task[Any]] = frozenset()) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(gateway.tasks) - before:
            pass


async def ends(gateway: Served, before: Set[asyncio.Task[Any]] = frozenset()) -> None:
    """Check that the work ends long before it is done, and that another request is answered at once."""
    await asyncio.to_thread(gateway.wait_until_idle, before)
    assert await asyncio.to_thread(gateway.ask, "{ __typename }") == {"__typename": "Query"}


async def test_a_client_that_leaves_ends_the_work_for_it(gateway: Served) -> None:
    async with http_client(gateway) as http:
        asked = asyncio.create_task(http.post("/graphql", json={"query": ENDLESS}))
        await is_at_work(gateway)
        assert (await http.get("/healthz")).status_code == 200
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    await ends(gateway)


async def test_an_operation_that_is_aborted_on_a_socket_ends_at_once(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        connected = gateway.tasks()
        await subscribe(websocket, "1", ENDLESS)
        await is_at_work(gateway, connected)
        await send(websocket, type="complete", id="1")
        await ends(gateway, connected)
        await subscribe(websocket, "2", "{ __typename }")
        assert (await received(websocket))["id"] == "2"


async def test_a_stream_that_nobody_reads_any_more_ends_its_work(gateway: Served) -> None:
    async with http_client(gateway) as http:
        stream = server_sent(http, ENDLESS)
        first = asyncio.ensure_future(anext(stream))
        await is_at_work(gateway)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    await ends(gateway)


async def test_the_event_loop_turns_while_a_long_document_is_read(known: CatalogSource) -> None:
    gateway = gateway_over(known)
    aliases = " ".join(f"a{number}: packages(first: {number}) {{ totalCount }}" for number in range(49))
    titles = " ".join(f"t{number}: title" for number in range(140))
    work = asyncio.create_task(
        gateway.execute(GraphQLRequest(f"{{ {aliases} packages {{ nodes {{ {titles} }} }} }}"))
    )
    turns = await turns_during(work)
    assert not (await work).failed
    # It was one; a thread gives the interpreter back every 5 ms.
    assert turns > 5
