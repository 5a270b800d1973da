"""A version that an operator has pinned is said to be pinned, by the page, by ``/readyz`` and in the graph."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.crawls import client_of as upstream_client_of
from tests.support.gateway_in_process import app_of, client_of, source_of
from tests.support.settings_for_tests import SCHEDULE
from tests.support.sync_in_process import until
from upstream.embedded import EmbeddedUpstream

QUICK = replace(SCHEDULE, probe=0.01)


async def told(http: httpx.AsyncClient) -> tuple[list[Any], bool]:
    """Return what is said of the catalog in JSON, and whether the page has the words."""
    query = {"query": "{ catalog { pinned version } }"}
    in_json = [
        (await http.get("/readyz")).json()["catalog"],
        (await http.get("/")).json()["catalog"],
        (await http.post("/graphql", json=query)).json()["data"]["catalog"],
    ]
    page = (await http.get("/", headers={"Accept": "text/html"})).text
    return [(each["pinned"], each["version"]) for each in in_json], ", which the operator has pinned" in page


@pytest.mark.virtual_time
async def test_a_pin_is_shown_for_as_long_as_there_is_one(embedded: EmbeddedUpstream, tmp_path: Path) -> None:
    path = str(tmp_path / "catalog.sqlite")
    async with upstream_client_of(embedded) as client:
        app = app_of(source_of(client, storage=Storage(path), schedule=QUICK))
        with closing(Storage(path)) as operator:
            async with client_of(app) as http:
                source = app.parts.source
                assert await told(http) == ([(False, None)] * 3, False)
                first = (await source.crawl()).snapshot.catalog.version
                embedded.catalog.update_package(1599, repo_watchers=7)
                second = (await source.crawl()).snapshot.catalog.version
                assert await told(http) == ([(False, second)] * 3, False)
                operator.history.pin(operator.history.named(first))
                await until(lambda: source.latest and source.latest.catalog.version == first)
                assert await told(http) == ([(True, first)] * 3, True)
                # The version that would be served without it can be pinned too.
                operator.history.pin(operator.history.named(second))
                await until(lambda: source.latest and source.latest.catalog.version == second)
                assert await told(http) == ([(True, second)] * 3, True)
                operator.history.unpin()
                await until(lambda: source.latest is source.crawled)
                assert await told(http) == ([(False, second)] * 3, False)
                operator.history.roll_back(operator.history.named(first))
                await until(lambda: source.latest and source.latest.catalog.version == first)
                # It is no pin: the next crawl replaces it.
                assert await told(http) == ([(False, first)] * 3, False)
