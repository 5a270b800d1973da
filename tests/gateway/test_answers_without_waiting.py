"""What can be answered at once has the answer of the ordinary way; of all else nothing is done before that."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

import wiring
from gateway.answers_without_waiting import MAX_STEPS, MAX_UNITS
from gateway.current_caller import NOBODY, Caller, caller
from gateway.fair_use import FairUse
from gateway.gateway import Gateway
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from tests.support.gateway_in_process import gateway_over
from tests.support.gateway_operations import GENERATOR, STATES
from tests.support.impatient_clients import until
from tests.support.recorded_spans import recorded_spans
from tests.support.settings_for_tests import settings_for_tests
from tests.support.shared_allowances import Refill
from tests.support.upstream_without_http import MadeSource, made_records, whole_records

OPERATIONS = int(os.environ.get("AGREEMENT_OPERATIONS", "2000")) // 4
RECORDS, WHOLE = made_records(), whole_records()
PLAIN = "{ package(databaseId: 1) { title category { title } } }"
BOTH = (
    "query($a: Int!, $b: Int!) { a: package(databaseId: $a) { title } b: package(databaseId: $b) { slug } }"
)


def in_one_turn(gateway: Gateway) -> Gateway:
    """Return the gateway, for which time stands still: a turn of the loop has room for any number of operations."""
    gateway.admission.clock = lambda: 0.0
    return gateway


async def prepared(gateway: Gateway, query: str, **more: object) -> PreparedRequest:
    """Prepare a request after the first of its kind, so that its plan is known."""
    request = GraphQLRequest(query, **more)  # type: ignore[arg-type]
    for _ in range(2):
        ready = await gateway.prepare(request, gateway.source.current())
        if gateway.at_once.answer(ready, NOBODY, 0) is None:
            await gateway.run(ready)
    return await gateway.prepare(request, gateway.source.current())


def counted(gateway: Gateway) -> list[object]:
    """Return what operations are counted by."""
    assert gateway.engine is not None
    return [
        gateway.measurements.from_memory,
        gateway.measurements.from_upstream,
        gateway.engine.answered,
        dict(gateway.engine.fallbacks),
        {key: sum(found.counts) for key, found in gateway.measurements.durations.items()},
        dict(gateway.measurements.errors),
        gateway.admission.running,
    ]


@pytest.mark.parametrize("state", STATES)
async def test_random_operations_are_answered_alike_at_once(state: str) -> None:
    records = WHOLE if state == "all known, nothing missing" else RECORDS
    source = MadeSource(records, **STATES[state])
    gateway = in_one_turn(gateway_over(source.as_source()))
    outcomes: Counter[bool] = Counter()
    for seed in range(OPERATIONS // len(STATES)):
        operation = GENERATOR.operation(seed)
        request = GraphQLRequest(str(operation), operation.variables)
        ready = await gateway.prepare(request, source.current())
        expected = await gateway.run(ready)
        asked, before = list(source.batcher.asked), counted(gateway)
        answer = gateway.at_once.answer(ready, NOBODY, 0)
        await asyncio.sleep(0)
        outcomes[answer is not None] += 1
        assert source.batcher.asked == asked, operation
        if answer is None:
            assert counted(gateway) == before, operation
            continue
        assert answer.body == expected.body, operation
        assert answer.can_be_cached, operation
        assert answer.made_of is source.current()
        assert expected.can_be_cached, operation
        assert answer.outcome == "answered"
    # Enough for this test to say something.
    assert (outcomes[True] > 0.1 * outcomes.total()) is ("nothing" not in state or "missing" in state), (
        outcomes
    )


@pytest.fixture
def source() -> MadeSource:
    return MadeSource(WHOLE)


@pytest.fixture
def gateway(source: MadeSource) -> Gateway:
    return in_one_turn(gateway_over(source.as_source()))


async def ended(answer: GraphQLAnswer | None) -> bool:
    """Return whether there is no answer, after all that may have begun had its turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return answer is None


async def test_several_fields_with_resolvers_are_answered_at_once(gateway: Gateway) -> None:
    ready = await prepared(gateway, BOTH, variables={"a": 1, "b": 2})
    answer = gateway.at_once.answer(ready, NOBODY, 0)
    assert answer is not None
    assert answer.body == (await gateway.run(ready)).body


async def test_it_counts_as_an_operation_that_was_answered_from_memory(gateway: Gateway) -> None:
    ready = await prepared(gateway, PLAIN)
    before, engine = gateway.measurements.from_memory, gateway.engine
    assert engine is not None
    measured = gateway.measurements.durations["query", "answered"]
    ran, times = engine.answered, sum(measured.counts)
    assert gateway.at_once.answer(ready, NOBODY, 0) is not None
    assert gateway.measurements.from_memory == before + 1
    assert engine.answered == ran + 1
    assert sum(measured.counts) == times + 1
    assert gateway.admission.running == 0


@pytest.mark.parametrize(
    "query",
    [
        "{ package(databaseId: 99) { title } }",
        '{ package(slug: "no-such-slug") { title } }',
        '{ package(pypiName: "no-such-name") { title } }',
        '{ search(query: "django") { totalCount } }',
        '{ search(query: "django", first: 100) { totalCount } }',
        '{ packagesBySlug(slugs: ["slug-1", "slug-2"]) { title } }',
        "{ package(databaseId: 1) { title history { nodes { at } } } }",
        '{ package(slug: "") { title } }',
        "{ package(databaseId: 1) { daysSinceLastCommit } }",
        "{ catalog { version } }",
        "{ __schema { description } }",
        "{ nothing }",
        "subscription { catalogChanged { version } }",
        "{ package(databaseId: 1, nothing: 1) { title } }",
    ],
)
async def test_what_may_wait_fail_or_change_is_left_to_the_ordinary_way(
    gateway: Gateway, source: MadeSource, query: str
) -> None:
    ready = await prepared(gateway, query)
    before, asked = counted(gateway), list(source.batcher.asked)
    assert await ended(gateway.at_once.answer(ready, NOBODY, 0))
    assert counted(gateway) == before
    assert source.batcher.asked == asked
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("more", [{"receipt": True}, {"explain": True}, {"traced": True}])
async def test_what_asks_for_more_than_its_answer_is_left_to_it(
    gateway: Gateway, more: dict[str, bool]
) -> None:
    await prepared(gateway, PLAIN)
    request = GraphQLRequest(PLAIN, **more)  # type: ignore[arg-type]
    ready = await gateway.prepare(request, gateway.source.current())
    assert gateway.at_once.answer(ready, NOBODY, 0) is None


async def test_a_plan_that_is_not_known_is_compiled_on_the_ordinary_way(gateway: Gateway) -> None:
    ready = await gateway.prepare(GraphQLRequest(PLAIN), gateway.source.current())
    assert gateway.at_once.answer(ready, NOBODY, 0) is None
    await gateway.run(ready)
    assert gateway.at_once.answer(ready, NOBODY, 0) is not None


async def test_what_is_traced_is_left_to_it(gateway: Gateway) -> None:
    ready = await prepared(gateway, PLAIN)
    with recorded_spans():
        assert gateway.at_once.answer(ready, NOBODY, 0) is None


async def test_what_is_predicted_to_cost_much_or_takes_much_work_is_left_to_it(gateway: Gateway) -> None:
    dear = "{ packages(first: 40) { nodes { grids { packages { grids { packages { title } } } } } } }"
    ready = await prepared(gateway, dear)
    assert ready.prediction is not None
    assert ready.prediction.cost.units > MAX_UNITS
    assert gateway.at_once.answer(ready, NOBODY, 0) is None
    more = " ".join(f"a{number}: packages(first: 10) {{ nodes {{ title }} }}" for number in range(20))
    ready = await prepared(gateway, f"{{ {more} }}", variables={"unused": [0] * (MAX_STEPS // 10)})
    assert ready.prediction is not None
    assert ready.prediction.cost.units < MAX_UNITS
    assert gateway.at_once.answer(ready, NOBODY, 0) is None


async def test_it_queues_behind_its_own_connection_alone() -> None:
    source = MadeSource(WHOLE).as_source()
    gateway = in_one_turn(gateway_over(source, limit_running=2, limit_waiting=10))
    ready = await prepared(gateway, PLAIN)
    may_end, began = asyncio.Event(), asyncio.Event()

    async def long(name: str) -> None:
        caller.set(Caller(name, name))
        async with gateway.admission.turn():
            began.set()
            await may_end.wait()

    first = asyncio.create_task(long("a"))
    await began.wait()
    assert gateway.at_once.answer(ready, Caller("b", 1), 0) is not None
    # One connection leaves a slot to others.
    assert gateway.at_once.answer(ready, Caller("a", "a"), 0) is None
    others = [asyncio.create_task(long(name)) for name in "bc"]
    await until(lambda: gateway.admission.waiting == 1)
    assert gateway.at_once.answer(ready, Caller("c", "c"), 0) is None  # its connection waits
    assert gateway.at_once.answer(ready, Caller("d", 1), 0) is not None
    assert (gateway.admission.running, gateway.admission.waiting) == (2, 1)
    may_end.set()
    await asyncio.gather(first, *others)
    assert (gateway.admission.running, gateway.admission.waiting) == (0, 0)
    assert gateway.at_once.answer(ready, Caller("d", 1), 0) is not None


async def test_one_turn_of_the_loop_has_only_so_many_of_them() -> None:
    gateway = gateway_over(MadeSource(WHOLE).as_source())
    ready = await prepared(gateway, PLAIN)
    await asyncio.sleep(0)
    seconds = iter(number / 1000 for number in range(10**6))
    gateway.admission.clock = lambda: next(seconds)  # a millisecond passes between any two looks
    answered = 0
    while gateway.at_once.answer(ready, NOBODY, 0) is not None:
        answered += 1
        assert answered < 10
    assert answered > 0
    await asyncio.sleep(0)
    assert gateway.at_once.answer(ready, NOBODY, 0) is not None


async def test_it_costs_its_client_what_was_predicted_and_what_has_no_answer_is_paid_by_the_next() -> None:
    fair_use, refill = FairUse(1_000, {}), Refill(1_000)
    source = MadeSource(WHOLE).as_source()
    gateway = in_one_turn(wiring.make_gateway(settings_for_tests(), source, fair_use))
    known = await prepared(gateway, PLAIN)
    unknown = await prepared(gateway, "{ package(databaseId: 99) { title } }")
    by, before = Caller("a client", 1), fair_use.taken
    assert known.prediction is not None
    assert known.prediction.cost.units == 3
    assert gateway.at_once.answer(known, by, 1) is not None
    assert fair_use.taken == before + 2
    for _ in range(2):
        assert gateway.at_once.answer(unknown, by, 0) is None
        assert fair_use.taken == before + 2 + 2
    assert gateway.at_once.answer(known, by, 1) is not None
    assert fair_use.taken == before + 2 + 2
    while gateway.at_once.answer(known, by, 0) is not None:
        pass
    assert 997 < fair_use.taken - before <= 1_000 + refill.units
    # The ordinary way says why, and counts it.
    assert fair_use.refused == 0
