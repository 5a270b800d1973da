"""Tests a shorter ``make attack``: every attack of the table ends in answers that are counted, and the gateway
survives."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator

import httpx
import pytest

from benchmarks.attack import crowds, fatal_attacks, single_requests, sockets
from benchmarks.attack.case import Case, Scale
from benchmarks.attack.load import AttackClient, Sent
from benchmarks.attack.measuring import AttackFigures, attacked
from benchmarks.attack.report import table
from benchmarks.attack.target import NotOurs, Target, running_at, started

PACKAGES = 600
SHORT = Scale(0.02)
REFUSALS = {
    "OPERATION_TOO_COMPLEX",
    "OVERLOADED",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "GRAPHQL_VALIDATION_FAILED",
    "PERSISTED_QUERY_NOT_FOUND",
    "UPSTREAM_BAD_DATA",
}
"""The codes that an attack may be answered with. They are sentences for the sender, and no faults of the gateway."""

CORE = max(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """Return one gateway for all attacks, so that the next one finds what one leaves behind."""
    with started(PACKAGES, CORE) as target:
        yield target


def unexpected(row: AttackFigures) -> list[str]:
    """Return the answers that no attack may get."""
    return [name for name in row.sent.answers if not is_expected(name)]


def is_expected(answer: str) -> bool:
    """Return a status with or without a code of ``REFUSALS``, or a message over a socket."""
    status, _, code = answer.partition(" ")
    if status.isdecimal():
        return int(status) in (200, 294, 400, 408, 413, 414, 422, 431, 503, 504) and (
            not code or code in REFUSALS
        )
    return answer in ("next", "error", "complete", "ping", "no answer")


async def is_alive(target: Target) -> bool:
    async with httpx.AsyncClient(timeout=30) as client:
        return (await client.get(f"{target.address}/healthz")).status_code == 200


async def hit(case: Case, target: Target) -> AttackFigures:
    return await attacked(case, target, SHORT, PACKAGES, CORE, left=60)


@pytest.mark.parametrize("case", single_requests.CASES, ids=lambda case: case.name)
async def test_a_single_request_is_answered_or_refused(case: Case, target: Target) -> None:
    row = await hit(case, target)
    assert not row.cut_off
    assert not unexpected(row)
    assert row.sent.answers.total() >= 1
    assert row.sent.bytes_out / row.sent.answers.total() <= 10_000_000
    assert await is_alive(target)


@pytest.mark.parametrize(
    "case",
    [*crowds.CASES, *(each for each in sockets.CASES if "new packages" not in each.name)],
    ids=lambda case: case.name,
)
async def test_a_crowd_is_answered_or_refused(case: Case, target: Target) -> None:
    row = await hit(case, target)
    assert not row.cut_off
    assert not unexpected(row)
    assert row.processor is not None
    assert await is_alive(target)


@pytest.mark.parametrize("case", fatal_attacks.CASES, ids=lambda case: case.name)
async def test_an_ending_ends(case: Case) -> None:
    row = await attacked(case, None, SHORT, PACKAGES, CORE, left=60)
    assert not row.cut_off
    assert not unexpected(row)
    assert "alive for" in row.sent.note


async def test_the_requests_of_an_attack_are_counted_exactly(target: Target) -> None:
    sent = Sent()
    async with AttackClient(target, sent) as client:
        await asyncio.gather(*(client.post("{__typename}") for _ in range(7)), client.post("{nothing}"))
    assert sent.answers == {"200": 7, "422 GRAPHQL_VALIDATION_FAILED": 1}
    assert sent.bytes_in == 7 * len(b'{"query": "{__typename}"}') + len(b'{"query": "{nothing}"}')


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:8000",
        "http://example.org",
        "https://127.0.0.1:8000",
        "http://localhost:8000",
        "127.0.0.1",
    ],
)
def test_only_loopback_is_attacked(url: str) -> None:
    with pytest.raises(NotOurs, match=re.escape(url) + " is no http address on loopback"):
        running_at(url)


def test_a_gateway_that_runs_is_found_by_its_address(target: Target) -> None:
    found = running_at(target.address)
    assert (found.address, found.process.processor_seconds() > 0) == (target.address, True)


def test_the_table_has_a_line_for_each_attack_with_the_figures_of_november() -> None:
    rows = [AttackFigures(case.name, case.before) for case in (*single_requests.CASES, *crowds.CASES)]
    lines = table(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert all(case.before in line for case, line in zip(single_requests.CASES, lines[2:], strict=False))
