"""Clients have one allowance at all gateways on a Valkey server, which is told in portions what they use."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from itertools import cycle

import httpx
import pytest

from gateway.allowance_sharing import PART_OF_ALL, AllowanceSharing
from gateway.fair_use import IN_ADVANCE
from gateway.local_allowances import WINDOW, LocalAllowances
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_allowances import SharedAllowances
from sharing.valkey_connection import ValkeyConnection
from tests.support.gateway_in_process import app_over, client_of
from tests.support.gateway_processes import eventually
from tests.support.shared_allowances import CHEAP, FEW, KEY, Refill, commands, gateway_on, takes
from tests.support.valkey_servers import PATIENCE, ValkeyServer
from upstream.embedded import EmbeddedUpstream

ATTEMPTS = 5
"""How often a test is tried on a machine that is so busy that the server does not answer within half a second."""
MANY = 10_000
PORTION = MANY // PART_OF_ALL
EPOCH = 1_735_660_800
"""The second from which the library counts."""


async def test_a_client_that_alternates_between_two_gateways_has_one_allowance(valkey: ValkeyServer) -> None:
    refill = Refill(FEW)
    async with gateway_on(valkey.url, FEW) as one, gateway_on(valkey.url, FEW) as two:
        taken = 0
        for gateway in cycle((one, two)):
            if not await takes(gateway):
                break
            taken += 1
            told = gateway.allowance("a")
            assert told is not None
            assert FEW - taken <= told.remaining <= FEW - taken + refill.units + 1
        assert FEW <= taken <= FEW + refill.units
        assert one.taken + two.taken == taken


async def test_the_second_gateway_tells_with_429_what_the_first_has_given(
    embedded: EmbeddedUpstream, valkey: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(ATTEMPTS):
        caplog.clear()
        valkey.client.flushall()
        refill = Refill(FEW)
        given = await given_by_two_apps(embedded, valkey.url)
        if not any("not shared now" in record.getMessage() for record in caplog.records):
            assert FEW <= given <= FEW + refill.units
            return
    pytest.fail("The server never answered as soon as a gateway expects it.")


async def given_by_two_apps(embedded: EmbeddedUpstream, url: str) -> int:
    """Return how many requests of one client two gateways answer before both refuse one."""
    apps = [app_over(embedded, storage=url, fair_use=str(FEW)) for _ in range(2)]
    given = 0
    async with client_of(apps[0]) as one, client_of(apps[1]) as two:
        for app in apps:
            await app.parts.gateway.documents.find_aside(CHEAP["query"])
        refused = set[httpx.AsyncClient]()
        for http in cycle((one, two)):
            answer = await http.post("/graphql", json=CHEAP)
            if answer.status_code == 200:
                given += 1
                continue
            assert answer.status_code == 429
            assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.headers["RateLimit-Policy"] == f'"default";q={FEW};w=60'
            assert re.match(r'"default";r=[01];t=', answer.headers["RateLimit"])
            assert "gateway_fair_use_shared" in (await http.get("/metrics")).text
            refused.add(http)
            if len(refused) == 2:
                break
    return given


async def test_small_costs_are_told_in_portions_and_nobody_waits_for_that(valkey: ValkeyServer) -> None:
    async with gateway_on(valkey.url, MANY) as one:
        valkey.client.config_resetstat()
        for _ in range(PORTION // 2 - 1):
            assert one.wait("a", 1) == 0
        await asyncio.sleep(0)
        assert commands(valkey) == 0
        assert one.wait("a", 1) == 0
        await eventually(lambda: commands(valkey) == 1)
        # As many more as may be untold, in one turn of the loop: nothing is told within it.
        assert [one.wait("a", 1) for _ in range(PORTION // 2)] == [0] * (PORTION // 2)


async def test_a_client_at_its_limit_causes_few_exchanges(valkey: ValkeyServer) -> None:
    async with gateway_on(valkey.url, 100 * MANY) as one:
        assert await takes(one, 100 * MANY - 2 * PORTION)
        valkey.client.config_resetstat()
        for _ in range(PORTION):
            assert one.wait("a", 1) == 0
            await asyncio.sleep(0)
        assert commands(valkey) == 0


async def test_no_more_clients_are_told_of_at_once_than_are_remembered(valkey: ValkeyServer) -> None:
    allowances = LocalAllowances(MANY, 1000)
    server = SharedAllowances(ValkeyConnection(ValkeyAddress.of(valkey.url), PATIENCE))
    valkey.client.config_resetstat()
    async with aclosing(AllowanceSharing(server, clients=10)) as sharing:
        for number in range(1000):
            assert not sharing.must_ask(str(number), PORTION, allowances)
            sharing.spent(str(number), PORTION, allowances)
    assert commands(valkey) == 10


async def test_two_gateways_give_a_client_little_more_than_there_is(valkey: ValkeyServer) -> None:
    refill = Refill(MANY)
    async with gateway_on(valkey.url, MANY) as one, gateway_on(valkey.url, MANY) as two:
        taken = refused = 0
        for gateway in cycle((one, two)):
            if gateway.wait("a", 7) and not await takes(gateway, 7):
                refused += 1
                if refused > 3:
                    break
                continue
            taken += 7
            if taken % 35 == 0:
                await asyncio.sleep(0)
        assert MANY - 7 <= taken <= MANY + refill.units + 2 * PORTION


async def test_a_gateway_that_has_not_heard_of_a_client_gives_it_one_portion_at_most(
    valkey: ValkeyServer,
) -> None:
    refill = Refill(MANY)
    async with gateway_on(valkey.url, MANY) as one, gateway_on(valkey.url, MANY) as two:
        assert await takes(one, MANY - 1)
        given = 0
        while await takes(two):
            given += 1
        assert given <= PORTION + 1 + refill.units
        # What is large is asked for before.
        async with gateway_on(valkey.url, MANY) as three:
            assert not await takes(three, MANY - 1)
            assert three.taken == 0


async def test_units_taken_in_advance_are_those_of_one_allowance(valkey: ValkeyServer) -> None:
    refill = Refill(MANY)
    async with gateway_on(valkey.url, MANY) as one, gateway_on(valkey.url, MANY) as two:
        assert await takes(one, MANY - PORTION)
        given = 0
        for _ in range(2):
            while two.wait_for_one("a") == 0 or await takes(two):
                given += 1
                await asyncio.sleep(0)
        assert given <= 2 * PORTION + IN_ADVANCE + refill.units


async def test_what_has_been_done_already_is_owed_everywhere(valkey: ValkeyServer) -> None:
    async with gateway_on(valkey.url, FEW) as one, gateway_on(valkey.url, FEW) as two:
        assert await takes(one)
        one.owe("a", 2 * FEW)
        await eventually(lambda: valkey.client.pttl(KEY) > 1000 * WINDOW)
        assert not await takes(two)
        told = two.allowance("a")
        assert told is not None
        assert (told.remaining, told.seconds > WINDOW) == (0, True)


async def test_the_server_counts_by_its_own_clock_until_an_allowance_is_whole(valkey: ValkeyServer) -> None:
    async with gateway_on(valkey.url, FEW) as gateway:
        before = valkey.client.time()[0]
        assert await takes(gateway, FEW // 2)
        whole_at = float(valkey.client.get(KEY) or b"nan") + EPOCH
        assert before <= whole_at - WINDOW / 2 <= valkey.client.time()[0] + 1
        assert 0 < valkey.client.pttl(KEY) <= 1000 * WINDOW / 2
    valkey.client.flushall()
    async with gateway_on(valkey.url, 60 * FEW) as gateway:
        assert await takes(gateway, FEW)
    await eventually(lambda: valkey.client.dbsize() == 0)


async def test_a_gateway_forgets_no_question_of_a_client_that_it_forgets(valkey: ValkeyServer) -> None:
    allowances = LocalAllowances(FEW, 10)
    server = SharedAllowances(ValkeyConnection(ValkeyAddress.of(valkey.url), PATIENCE))
    async with aclosing(AllowanceSharing(server, clients=1)) as sharing:
        async with asyncio.timeout(30):
            charged = await asyncio.gather(*(sharing.ask(client, 1, allowances) for client in "aabbcab"))
        assert [each is not None and each.is_taken for each in charged] == [True] * 7
        assert charged[5] is not None
        assert charged[5].remaining == FEW - 3
        leaving = asyncio.create_task(sharing.ask("a", 1, allowances))
        staying = asyncio.create_task(sharing.ask("a", 1, allowances))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying) is not None
