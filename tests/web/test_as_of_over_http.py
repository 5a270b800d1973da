"""Tests ``@asOf`` over HTTP: what caches are told, what is kept, and the statuses of refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from tests.support.crawls import client_of as upstream_client_of
from tests.support.gateway_in_process import app_of, client_of, source_of
from tests.support.made_records import catalog_of, category, package
from tests.support.versioned_catalogs import Clock, keep
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

CATALOGS = [catalog_of(package(1, repo_watchers=stars), category(1)) for stars in range(9)]
STARS = "query Q($version: String) @asOf(version: $version) { package(databaseId: 1) { repoWatchers } }"
STARS_AT = "query Q($time: DateTime) @asOf(time: $time) { package(databaseId: 1) { repoWatchers } }"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of versions that came an hour after one another, until an hour ago. Tests copy it."""
    path = tmp_path_factory.mktemp("stored") / "catalog.sqlite"
    clock = Clock(datetime.now(UTC) - timedelta(hours=len(CATALOGS)))
    with closing(Storage(str(path), now=clock)) as storage:
        for catalog in CATALOGS:
            keep(storage, catalog, clock.moment)
            clock.go(hours=1)
    return path


@pytest.fixture
def history(stored: Path, tmp_path: Path) -> Path:
    return Path(copy(stored, tmp_path))


@asynccontextmanager
async def source_with_history(embedded: EmbeddedUpstream, history: Path) -> AsyncIterator[CatalogSource]:
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    storage = Storage(str(history), now=clock)
    async with upstream_client_of(embedded) as client, source_of(client, storage=storage) as source:
        yield source


@pytest.fixture
def app(embedded: EmbeddedUpstream, history: Path) -> GatewayApp:
    return app_of(source_with_history(embedded, history))


@pytest.fixture
async def http(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as http:
        yield http


async def ask(http: httpx.AsyncClient, query: str, **variables: object) -> httpx.Response:
    return await http.post("/graphql", json={"query": query, "variables": variables})


def stars(response: httpx.Response) -> Any:
    assert response.status_code == 200
    return response.json()["data"]["package"]["repoWatchers"]


async def test_an_answer_as_of_a_version_is_immutable_for_caches(http: httpx.AsyncClient) -> None:
    response = await ask(http, STARS, version=CATALOGS[2].version)
    assert stars(response) == 2
    assert response.headers["cache-control"] == "public, max-age=86400, immutable"
    assert response.headers["x-accel-expires"] == "86400"
    assert "age" not in response.headers
    present = await ask(http, "{ package(databaseId: 1) { repoWatchers } }")
    assert stars(present) == 8
    assert "immutable" not in present.headers["cache-control"]


async def test_an_answer_as_of_a_moment_in_the_past_is_immutable_too(http: httpx.AsyncClient) -> None:
    moment = datetime.now(UTC) - timedelta(hours=3.5)
    response = await ask(http, STARS_AT, time=moment.isoformat())
    assert stars(response) == 5
    assert response.headers["cache-control"] == "public, max-age=86400, immutable"


async def test_an_answer_as_of_this_minute_is_not_kept_because_a_version_may_be_stored_now(
    app: GatewayApp, http: httpx.AsyncClient
) -> None:
    for _ in range(2):
        response = await ask(http, STARS_AT, time=datetime.now(UTC).isoformat())
        assert stars(response) == 8
        assert response.headers["cache-control"] == "no-store"
    assert len(app.parts.responses.answers) == 0


async def test_it_is_answered_from_the_cache_the_second_time(
    app: GatewayApp, http: httpx.AsyncClient
) -> None:
    answers = app.parts.responses.answers
    first = await ask(http, STARS, version=CATALOGS[2].version)
    second = await ask(http, STARS, version=CATALOGS[2].version)
    assert (answers.found, answers.missed) == (1, 1)
    assert first.content == second.content
    assert first.headers == second.headers
    # Of another version, and of none, there are other answers.
    assert stars(await ask(http, STARS, version=CATALOGS[3].version)) == 3
    assert stars(await ask(http, "{ package(databaseId: 1) { repoWatchers } }")) == 8
    assert app.parts.gateway.engine is not None
    assert app.parts.gateway.engine.answered == 3
    assert not app.parts.gateway.engine.fallbacks


async def test_its_entity_tag_is_taken_back(http: httpx.AsyncClient) -> None:
    params = {"query": STARS, "variables": f'{{"version": "{CATALOGS[2].version}"}}'}
    first = await http.get("/graphql", params=params, headers={"Accept": "application/json"})
    assert stars(first) == 2
    headers = {"Accept": "application/json", "If-None-Match": first.headers["etag"]}
    again = await http.get("/graphql", params=params, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=86400, immutable"
    other = params | {"variables": f'{{"version": "{CATALOGS[3].version}"}}'}
    assert (await http.get("/graphql", params=other, headers=headers)).status_code == 200


async def test_a_moment_before_history_has_the_status_of_a_wrong_request(http: httpx.AsyncClient) -> None:
    response = await ask(http, STARS_AT, time="2020-01-01")
    assert response.status_code == 422
    assert response.headers["cache-control"] == "no-store"
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"].startswith("Nothing is known of the catalog as it was at 2020-01-01T00:00:00Z.")


async def test_too_many_versions_have_the_status_and_the_header_of_overload(http: httpx.AsyncClient) -> None:
    responses = [await ask(http, STARS, version=catalog.version) for catalog in CATALOGS]
    # Six are rebuilt, and the newest is at hand.
    assert [response.status_code for response in responses] == [200] * 6 + [503] * 2 + [200]
    assert 1 <= int(responses[6].headers["retry-after"]) <= 10
    (error,) = responses[6].json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"


async def test_a_subscription_cannot_have_it(http: httpx.AsyncClient) -> None:
    query = "subscription Q($version: String) @asOf(version: $version) { catalogChanged { slug } }"
    body = {"query": query, "variables": {"version": CATALOGS[2].version}}
    response = await http.post("/graphql", json=body, headers={"Accept": "text/event-stream"})
    assert "Directive '@asOf' may not be used on subscription." in response.text


async def test_deferred_parts_are_of_the_version(http: httpx.AsyncClient) -> None:
    query = """query Q($version: String) @asOf(version: $version) {
      package(databaseId: 1) { title ... @defer { repoWatchers } } }"""
    accept = {"Accept": "multipart/mixed;incrementalSpec=v0.2, application/json"}
    body = {"query": query, "variables": {"version": CATALOGS[4].version}}
    response = await http.post("/graphql", json=body, headers=accept)
    assert '"repoWatchers":4' in response.text
    assert response.headers["content-type"].startswith("multipart/mixed")


async def test_the_client_for_whom_a_version_is_rebuilt_pays_for_it(
    embedded: EmbeddedUpstream, history: Path
) -> None:
    app = app_of(source_with_history(embedded, history), fair_use="100000000")
    async with client_of(app) as http:
        fair_use = app.parts.gateway.fair_use
        assert fair_use is not None

        async def cost(query: str, **variables: str) -> int:
            before = fair_use.taken
            stars(await ask(http, query, **variables))
            return fair_use.taken - before

        small = 4 * len(STARS) + 1_000
        assert 0 < await cost(STARS, version=CATALOGS[-1].version) < small
        assert 75_000 < await cost(STARS, version=CATALOGS[2].version) < 75_000 + small
        assert 0 < await cost(f"# {STARS}\n{STARS}", version=CATALOGS[2].version) < 2 * small
