"""An answer is of one version of the catalog, whatever is published while it is made."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over, source_over
from upstream.embedded import EmbeddedUpstream

QUERY = """{
  known: package(slug: "django-celery-email") { category { title } }
  new: package(slug: "brand-new") { databaseId category { title } }
  catalog { version }
}"""


class Held:
    """The embedded upstream, which answers for one path only when it is told to."""

    def __init__(self, embedded: EmbeddedUpstream, path: str) -> None:
        self._embedded = embedded
        self._path = path
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == self._path:
            self.asked.set()
            await self.answer.wait()
        await self._embedded(scope, receive, send)


async def test_a_new_catalog_changes_nothing_for_an_answer_that_is_being_made(
    embedded: EmbeddedUpstream,
) -> None:
    held = Held(embedded, "/api/v4/packages/brand-new/")
    async with source_over(held) as source:
        first = (await source.crawl()).snapshot.catalog.version
        gateway = gateway_over(source)
        new = embedded.catalog.insert_package(slug="brand-new", category=1)

        async def ask() -> Any:
            return (await gateway.execute(GraphQLRequest(QUERY, receipt=True))).decoded()

        asking = asyncio.create_task(ask())
        await held.asked.wait()
        embedded.catalog.update_category(1, title="renamed")
        second = (await source.crawl()).snapshot.catalog.version
        held.answer.set()
        body, later = await asking, await ask()
        assert "errors" not in body
        assert body["data"] == {
            "known": {"category": {"title": "Apps"}},
            "new": {"databaseId": new, "category": {"title": "Apps"}},
            "catalog": {"version": first},
        }
        assert body["extensions"]["freshness"]["version"] == first
        assert later["data"]["new"]["category"] == {"title": "renamed"}
        assert later["data"]["catalog"] == {"version": second}
        await source.aclose()
