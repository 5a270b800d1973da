"""The gateway over an embedded upstream, both in this process and without HTTP between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from upstream.client import Client
from upstream.embedded import EmbeddedUpstream
from upstream.exchange import Limits
from upstream.source import Source
from upstream.storage import Storage
from upstream.transport import in_process
from web.execution import Gateway, Request

UPSTREAM_URL = "http://upstream.test/api/v4/"

Ask = Callable[..., Awaitable[dict[str, Any]]]


def source_over(upstream: EmbeddedUpstream) -> Source:
    """All of it live. One attempt for each request, so that counts are plain: retries have their own tests."""
    client = Client(UPSTREAM_URL, in_process(upstream), Limits(attempts=1))
    return Source(client, Storage(":memory:"), origin=UPSTREAM_URL, follow=False)


def asking(source: Source, *, use_engine: bool = True) -> Ask:
    gateway = Gateway(source, use_engine=use_engine)

    async def ask(query: str, receipt: bool = False, **variables: object) -> dict[str, Any]:
        answer = await gateway.execute(Request(query, variables, receipt=receipt))
        return answer.decoded()

    return ask
