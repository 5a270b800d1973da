"""Operations that failed or were slow have one line each in the log, which says nothing that their documents say."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import aclosing
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from gateway.gateway import Gateway
from gateway.graphql_answer import GraphQLAnswer
from gateway.operation_log import MAX_LINES, OperationLog
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.impatient_clients import until
from upstream.embedded import EmbeddedUpstream, Fault, Latency, StatusFault

LOGGER = "gateway.operation_log"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRET = "s3cret-of-a-client"
PACKAGE = (
    f'query Named($id: Int!) {{ package(databaseId: $id) {{ title }} grid(slug: "{SECRET}") {{ title }} }}'
)


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with a few packages, because their number changes nothing here."""
    return generated_upstream(20)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    """Return the level, the sentence and the fields of each line about operations."""
    found = [record for record in caplog.records if record.name == LOGGER]
    return [(record.levelno, record.getMessage(), getattr(record, "fields", {})) for record in found]


async def test_an_operation_that_fails_has_one_line_without_its_text_and_variables(
    source: CatalogSource, embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    embedded.faults.add(Fault(StatusFault(500)))
    request = GraphQLRequest(PACKAGE, {"id": 1599}, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    with caplog.at_level(logging.INFO, LOGGER):
        await gateway_over(source).execute(request)
    ((level, sentence, fields),) = lines(caplog)
    assert (level, sentence) == (logging.WARNING, "An operation failed.")
    assert fields.pop("seconds") >= 0
    assert fields == {
        "operation": "Named",
        "document": hashlib.sha256(PACKAGE.encode()).hexdigest()[:16],
        "outcome": "errors",
        "cost": 2003,
        "upstream_requests": 2,
        "catalog": None,
        "trace": TRACE,
    }
    assert SECRET not in str(fields)


async def test_an_operation_that_is_answered_in_time_has_a_line_at_debug_alone(
    source: CatalogSource, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = gateway_over(source, slow=300)
    request = GraphQLRequest("{ categories { title } }")
    with caplog.at_level(logging.INFO, LOGGER):
        await gateway.execute(request)
    assert lines(caplog) == []
    await source.crawl()
    with caplog.at_level(logging.DEBUG, LOGGER):
        await gateway.execute(request)
    ((level, sentence, fields),) = lines(caplog)
    assert (level, sentence) == (logging.DEBUG, "An operation was answered.")
    assert (fields["outcome"], fields["upstream_requests"], fields["operation"]) == ("answered", 0, None)
    assert source.latest is not None
    assert fields["catalog"] == source.latest.catalog.version[:16]


@pytest.mark.parametrize(("slow", "expected"), [(0.005, ["An operation was slow."]), (0, [])])
async def test_a_slow_operation_has_a_line_unless_none_is_slow(
    source: CatalogSource,
    embedded: EmbeddedUpstream,
    caplog: pytest.LogCaptureFixture,
    slow: float,
    expected: list[str],
) -> None:
    embedded.faults.add(Fault(Latency(0.01)))
    with caplog.at_level(logging.INFO, LOGGER):
        await gateway_over(source, slow=slow).execute(GraphQLRequest("{ categories { title } }"))
    assert [sentence for _level, sentence, _fields in lines(caplog)] == expected


@pytest.mark.parametrize(
    ("document", "outcome"), [("{", "unparsable"), ("{ nothing }", "unfit"), ("\ud800{ a }", "unparsable")]
)
async def test_what_a_client_did_wrong_is_told_at_info(
    source: CatalogSource, caplog: pytest.LogCaptureFixture, document: str, outcome: str
) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        await gateway_over(source).execute(GraphQLRequest(document, operation_name="n" * 1000))
    ((level, _sentence, fields),) = lines(caplog)
    assert (level, fields["outcome"], fields["operation"]) == (logging.INFO, outcome, "n" * 100)


async def test_an_operation_that_gets_no_slot_is_logged_too(
    source: CatalogSource, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = gateway_over(source, limit_running=1, limit_waiting=0)
    with caplog.at_level(logging.INFO, LOGGER):
        async with gateway.admission.turn():
            await gateway.execute(GraphQLRequest("{ __typename }"))
    ((level, _sentence, fields),) = lines(caplog)
    assert (level, fields["outcome"]) == (logging.WARNING, "overloaded")


def test_strangers_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = OperationLog(1, clock=lambda: now)
    request, failed = GraphQLRequest("{"), GraphQLAnswer(b"{}", failed=True, failure="unparsable")
    with caplog.at_level(logging.INFO, LOGGER):
        for _ in range(MAX_LINES + 30):
            log.ended(request, None, failed, 0, 0)
        assert len(lines(caplog)) == MAX_LINES
        now = 60.0
        log.ended(request, None, failed, 0, 0)
    told = [sentence for _level, sentence, _fields in lines(caplog)[MAX_LINES:]]
    assert told == ["30 more operations failed or were slow within a minute.", "An operation failed."]


DEFERRED = "query Late { categories { title } ... @defer { stats { packageCount } } }"
SUBSCRIPTION = "subscription Changes { catalogChanged { slug } }"


async def results_of(gateway: Gateway, query: str, most: int | None = None) -> None:
    """Take the results of an operation with many, or the first of them."""
    prepared = await gateway.prepare(GraphQLRequest(query), gateway.source.current())
    results = gateway.stream(prepared) if prepared.is_subscription else gateway.parts(prepared)
    count = 0
    async with aclosing(results) as taken:
        async for _ in taken:
            count += 1
            if count == most:
                return


async def test_an_operation_in_parts_has_a_line_at_its_beginning_and_one_at_its_end(
    known_source: CatalogSource, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, LOGGER):
        await results_of(gateway_over(known_source), DEFERRED)
    begun, ended = lines(caplog)
    assert begun[:2] == (logging.DEBUG, "An operation in parts has begun.")
    assert ended[:2] == (logging.DEBUG, "An operation in parts has ended.")
    assert begun[2].items() <= ended[2].items()
    assert (ended[2]["operation"], ended[2]["outcome"], ended[2]["results"]) == ("Late", "answered", 2)


@pytest.mark.parametrize(
    ("most", "level", "outcome"), [(None, logging.WARNING, "errors"), (1, logging.DEBUG, "closed")]
)
async def test_parts_that_fail_or_are_not_waited_for_say_so(
    source: CatalogSource,
    embedded: EmbeddedUpstream,
    caplog: pytest.LogCaptureFixture,
    most: int | None,
    level: int,
    outcome: str,
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    query = "{ categories { title } ... @defer { package(databaseId: 1599) { title } } }"
    with caplog.at_level(logging.DEBUG, LOGGER):
        await results_of(gateway_over(source), query, most)
    _begun, ended = lines(caplog)
    assert (ended[0], ended[2]["outcome"]) == (level, outcome)


async def test_a_subscription_has_a_line_at_its_beginning_and_one_when_the_gateway_stops(
    source: CatalogSource, caplog: pytest.LogCaptureFixture
) -> None:
    await source.crawl()
    gateway = gateway_over(source)
    with caplog.at_level(logging.DEBUG, LOGGER):
        following = asyncio.create_task(results_of(gateway, SUBSCRIPTION))
        await until(lambda: len(lines(caplog)) == 1)
        gateway.subscriptions.end_all()
        await following
    begun, ended = lines(caplog)
    assert begun[1] == "A subscription has begun."
    assert ended[:2] == (logging.DEBUG, "A subscription has ended.")
    assert (ended[2]["operation"], ended[2]["outcome"], ended[2]["results"]) == ("Changes", "closed", 0)


async def test_a_subscription_that_cannot_start_is_the_fault_of_its_client(
    source: CatalogSource, caplog: pytest.LogCaptureFixture
) -> None:
    await source.crawl()
    with caplog.at_level(logging.INFO, LOGGER):
        await results_of(gateway_over(source), 'subscription { catalogChanged(after: "x") { slug } }')
    (ended,) = lines(caplog)
    assert (ended[0], ended[2]["outcome"]) == (logging.INFO, "unfit")
