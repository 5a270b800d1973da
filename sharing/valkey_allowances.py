"""Counts what clients have used of their allowances, for all gateways on one server.

The counting is that of the library throttled-py: its script runs on the server, and by the clock of the server. The
library's own store on a server has a client of its own, which has no pauses while the server is away.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import redis
import redis.asyncio
from throttled.rate_limiter.gcra import RedisLimitAtomicActionSpec

from sharing.allowance_charges import Charge, Charged
from sharing.valkey_connection import PREFIX, ValkeyConnection, ValkeyUnavailable

_log = logging.getLogger(__name__)


class SharedAllowances:
    """Keeps one time for each client on the server, for as long as the client lacks some of its allowance.

    The connection has no other use.
    """

    def __init__(self, connection: ValkeyConnection) -> None:
        self.works = True
        """Whether the server could be used lately."""
        self._connection = connection

    async def charge(self, charges: Sequence[Charge]) -> list[Charged] | None:
        """Charge clients in this order, in one exchange with the server.

        Return ``None`` if the server cannot be used. It may have taken some of the charges.
        """
        try:
            charged: list[Charged] = await self._connection.ado(lambda client: _exchanged(client, charges))
        except ValkeyUnavailable as error:
            if self.works:
                sentence = (
                    "The allowances of clients are not shared now, and each gateway counts by itself: %s."
                )
                _log.warning(sentence, error.reason)
            self.works = False
            return None
        if not self.works:
            _log.info("The allowances of clients are shared again.")
        self.works = True
        return charged

    async def aclose(self) -> None:
        """Close the connection."""
        self._connection.close()
        await self._connection.aclose()


async def _exchanged(client: redis.asyncio.Redis, charges: Sequence[Charge]) -> list[Charged]:
    pipeline = client.pipeline(transaction=False)
    for each in charges:
        key = f"{PREFIX}:fair-use:{each.client}"
        given = (repr(each.interval), str(each.max_used), str(each.units))
        pipeline.eval(RedisLimitAtomicActionSpec.SCRIPTS, 1, key, *given)
    # An error that the pipeline raises by itself has the whole script in its message.
    answers = await pipeline.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            raise answer
    return [_charged(*answer) for answer in answers]


def _charged(limited: int, remaining: int, whole_after: bytes, retry_after: bytes) -> Charged:
    return Charged(not limited, remaining, float(whole_after), float(retry_after))
