"""Each gateway counts what clients use by itself while the server cannot be used, says so, and loses no answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest

from gateway.fair_use import FairUse
from sharing import Charge, Charged
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_allowances import SharedAllowances
from sharing.valkey_connection import ValkeyConnection
from tests.support.gateway_in_process import app_over, client_of
from tests.support.shared_allowances import CHEAP, FEW, KEY, Refill, commands, gateway_on, takes
from tests.support.valkey_servers import PATIENCE, valkey_server
from upstream.embedded import EmbeddedUpstream


async def until_shared(fair_use: FairUse) -> None:
    """Ask until a gateway has noticed that the server can be used again."""
    assert fair_use.sharing is not None
    async with asyncio.timeout(60):
        while not fair_use.sharing.works:
            await takes(fair_use)
            await asyncio.sleep(0.01)


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
            ("ACL", "SETUSER", "default", "-eval"),
            "the server does not let this user do it (the user has no permissions to run the 'eval' command)",
        ),
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
            began = time.monotonic()
            assert [await takes(gateway) for _ in range(FEW)] == [True] * FEW
            await gateway.aclose()
            # It is tried again once a second.
            assert 1 <= commands(server) <= 1 + time.monotonic() - began
        sentence = (
            "The allowances of clients are not shared now, and each gateway counts by itself: " + reason
        )
        assert [record.getMessage() for record in caplog.records] == [f"{sentence}."]


class Broken(SharedAllowances):
    """Fails as no server is expected to, when it is told to."""

    def __init__(self) -> None:
        super().__init__(ValkeyConnection(ValkeyAddress.of("valkey://127.0.0.1:1"), PATIENCE))
        self.fails = asyncio.Event()

    async def charge(self, charges: Sequence[Charge]) -> list[Charged] | None:
        await self.fails.wait()
        raise ValueError("Nobody expects this.")


async def test_no_client_waits_for_ever_behind_an_error_that_nobody_expects() -> None:
    server = Broken()
    fair_use = FairUse(1_000, {}, server)
    fair_use.owe("a", 10)
    await asyncio.sleep(0)
    asking = asyncio.create_task(fair_use.take("b", 900))
    await asyncio.sleep(0)
    server.fails.set()
    async with asyncio.timeout(30):
        await asking
    told = fair_use.allowance("b")
    assert told is not None
    assert told.remaining < 1_000 - 800
    with pytest.raises(ValueError, match="Nobody expects"):
        await fair_use.aclose()
