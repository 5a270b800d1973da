"""A gateway can stop at any moment, also while it connects to the Valkey server that it shares."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing

from sharing.announcements import Announcements
from sharing.shared_documents import SharedDocuments
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import ValkeyConnection
from tests.support.valkey_servers import PATIENCE, ValkeyServer

TURNS = 25
"""The turns of the loop in which both have connected and subscribed."""


async def test_listening_ends_in_whichever_turn_of_the_loop_it_is_told_to(valkey: ValkeyServer) -> None:
    for turns in range(TURNS):
        with closing(ValkeyConnection(ValkeyAddress.of(valkey.url), PATIENCE)) as connection:
            async with aclosing(connection):
                for listening in (
                    Announcements(connection),
                    SharedDocuments(connection, lambda _id, _text: None),
                ):
                    listening.open()
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    async with asyncio.timeout(30):
                        await listening.aclose()
