"""Clients have one allowance at all gateways that share a Valkey server, and one at each while it cannot be used."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import cycle

import pytest

from gateway.allowance_sharing import PART_OF_ALL, AllowanceSharing
from gateway.fair_use import IN_ADVANCE, FairUse
from gateway.local_allowances import WINDOW, LocalAllowances
from gateway.try_later import RateLimited
from sharing.shared_allowances import SharedAllowances
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import ValkeyConnection
from tests.support.gateway_in_process import app_over, client_of
from tests.support.gateway_processes import eventually
from tests.support.valkey_servers import PATIENCE, ValkeyServer, valkey_server
from upstream.embedded import EmbeddedUpstream

FEW = 12
"""Units of an allowance of which one comes back in five seconds, and all are asked for one by one."""
MANY = 10_000
PORTION = MANY // PART_OF_ALL
EPOCH = 1_735_660_800
"""The second from which the library counts."""
KEY = "{djangopackages}:fair-use:a"
CHEAP = {"query": "{ __typename }"}


@asynccontextmanager
async def gateway_on(url: str, units: int, patience: float = PATIENCE) -> AsyncIterator[FairUse]:
    server = SharedAllowances(ValkeyConnection(ValkeyAddress.of(url), patience))
    async with aclosing(FairUse(units, {}, server)) as fair_use:
        yield fair_use


class Refill:
    """Counts the units that can have come back since it was made."""

    def __init__(self, units: int) -> None:
        self._rate = units / WINDOW
        self._began = time.monotonic()

    @property
    def units(self) -> float:
        return (time.monotonic() - self._began) * self._rate


async def takes(fair_use: FairUse, units: int = 1) -> bool:
    """Return whether a client may have units at a gateway."""
    try:
        await fair_use.take("a", units)
    except RateLimited:
        return False
    return True


async def until_shared(fair_use: FairUse) -> None:
    """Ask until a gateway has noticed that the server can be used again."""
    assert fair_use.sharing is not None
    async with asyncio.timeout(60):
        while not fair_use.sharing.works:
            await takes(fair_use)
            await asyncio.sleep(0.01)


def commands(server: ValkeyServer) -> int:
    """Return how many scripts the server has run."""
    stats: dict[str, dict[str, int]] = server.client.info("commandstats")
    return stats.get("cmdstat_eval", {}).get("calls", 0)


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
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    apps = [app_over(embedded, storage=valkey.url, fair_use=str(FEW)) for _ in range(2)]
    async with client_of(apps[0]) as one, client_of(apps[1]) as two:
        for app in apps:
            await app.parts.gateway.documents.find_aside(CHEAP["query"])
        refill, given = Refill(FEW), 0
        for http in cycle((one, two)):
            answer = await http.post("/graphql", json=CHEAP)
            if answer.status_code == 429:
                break
            given += 1
        assert FEW <= given <= FEW + refill.units
        for http in (one, two):
            while (answer := await http.post("/graphql", json=CHEAP)).status_code == 200:
                given += 1
            assert answer.status_code == 429
            assert given <= FEW + refill.units
            assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.headers["RateLimit-Policy"] == f'"default";q={FEW};w=60'
            assert answer.headers["RateLimit"].startswith('"default";r=0;t=')
            assert "gateway_fair_use_shared 1.0" in (await http.get("/metrics")).text


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
        assert await takes(gateway, 4 * FEW)
    await eventually(lambda: valkey.client.dbsize() == 0)


async def test_a_gateway_forgets_no_question_of_a_client_that_it_forgets(valkey: ValkeyServer) -> None:
    allowances = LocalAllowances(FEW, 10)
    server = SharedAllowances(ValkeyConnection(ValkeyAddress.of(valkey.url), PATIENCE))
    async with aclosing(AllowanceSharing(server, clients=1)) as sharing:
        charged = await asyncio.gather(*(sharing.ask(client, 1, allowances) for client in "aabbcab"))
        assert [each is not None and each.is_taken for each in charged] == [True] * 7
        assert charged[5] is not None
        assert charged[5].remaining == FEW - 3
        leaving = asyncio.create_task(sharing.ask("a", 1, allowances))
        staying = asyncio.create_task(sharing.ask("a", 1, allowances))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying) is not None


async def test_while_the_server_is_away_each_gateway_counts_by_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "sharing")
    with valkey_server() as server:
        async with gateway_on(server.url, FEW) as one, gateway_on(server.url, FEW) as two:
            assert await takes(one, 2)
            assert await takes(two, 2)
            server.kill()
            refill = Refill(FEW)
            given = [sum([await takes(each) for _ in range(2 * FEW)]) for each in (one, two)]
            # The first one has not heard of the last two units.
            assert FEW - 2 <= given[0] <= FEW - 2 + refill.units
            assert FEW - 4 <= given[1] <= FEW - 4 + refill.units
            for gateway in (one, two):
                assert gateway.sharing is not None
                assert not gateway.sharing.works
            server.start()
            for gateway in (one, two):
                await until_shared(gateway)
            # The server knows nothing, and each gateway what it knew.
            refill = Refill(FEW)
            assert sum([await takes(each, FEW // 2) for each in (one, two)]) <= 2 * refill.units
    sentences = [record.getMessage() for record in caplog.records if "allowances" in record.getMessage()]
    away = "The allowances of clients are not shared now, and each gateway counts by itself: the server "
    assert [each.startswith(away) for each in sentences] == [True, True, False, False]
    assert sentences[2:] == ["The allowances of clients are shared again."] * 2


async def test_a_server_that_hangs_loses_no_answer(embedded: EmbeddedUpstream) -> None:
    with valkey_server() as server:
        app = app_over(embedded, storage=server.url, fair_use="1000")
        async with client_of(app) as http:
            assert (await http.post("/graphql", json=CHEAP)).status_code == 200
            with server.hanging():
                # It costs more than may be untold, so it is asked for.
                large = {"query": "{ __typename } # " + "-" * 50}
                answers = [await http.post("/graphql", json=each) for each in (large, CHEAP, CHEAP)]
                assert [answer.status_code for answer in answers] == [200] * 3
                assert "gateway_fair_use_shared 0.0" in (await http.get("/metrics")).text
            fair_use = app.parts.gateway.fair_use
            assert fair_use is not None
            await until_shared(fair_use)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), "the server is full; raise its maxmemory"),
        (("REPLICAOF", "127.0.0.1", "1"), "the server is a replica that cannot be written; name the primary"),
        (
            ("LPUSH", KEY, "1"),
            "a key that begins with {djangopackages} is not of this gateway; use another database of the server",
        ),
    ],
)
async def test_a_server_that_refuses_is_named_with_its_reason(
    command: tuple[str, ...], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with valkey_server() as server:
        async with gateway_on(server.url, FEW) as gateway:
            server.client.execute_command(*command)  # type: ignore[no-untyped-call]
            assert [await takes(gateway) for _ in range(3)] == [True] * 3
        sentence = (
            "The allowances of clients are not shared now, and each gateway counts by itself: " + reason
        )
        assert [record.getMessage() for record in caplog.records] == [f"{sentence}."]
