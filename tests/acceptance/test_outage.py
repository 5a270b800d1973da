"""Tests an outage of upstream for the whole run. The stored catalog answers, says how old it is, and expires in the
end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from graphql import OperationDefinitionNode, parse

from catalog.indexed_catalog import Catalog
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.gateway_processes import (
    CANONICAL,
    ROOT,
    STATUS,
    ask,
    catalog_of,
    gateway,
    refusing,
    sync,
    upstream_requests,
)
from tests.support.http_servers import serving
from upstream.embedded import EmbeddedUpstream

Operation = tuple[str, str]
OPERATIONS = [
    (path.name, definition.name.value)
    for path in sorted((ROOT / "examples").glob("*.graphql"))
    for definition in parse(path.read_text(encoding="utf-8")).definitions
    if isinstance(definition, OperationDefinitionNode) and definition.name is not None
]


@dataclass(frozen=True)
class Known:
    """Holds what ``server.py sync`` stored of an upstream that has been off since then."""

    upstream: str
    storage: Path
    copy: Path
    """The storage setting of a gateway that shares it with nobody."""
    catalog: Catalog
    synced: tuple[datetime, datetime]
    """The times between which it was made."""
    printed: str
    live: dict[Operation, dict[str, Any]]
    """The answers to the operations of the examples that were given while upstream was on, and known."""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    storage = tmp_path_factory.mktemp("outage") / "catalog.sqlite"
    embedded = EmbeddedUpstream(packages=300)
    with serving(embedded) as address:
        upstream = f"{address}/api/v4/"
        before = datetime.now(UTC)
        printed = sync(upstream, storage)
        synced = (before, datetime.now(UTC))
        catalog = catalog_of(upstream)
    copy = copyfile(storage, storage.with_name("copy.sqlite"))
    port = urlsplit(upstream).port
    assert port is not None
    with refusing(port):
        live = asyncio.run(live_answers(embedded))
        yield Known(upstream, storage, copy, catalog, synced, printed, live)


async def live_answers(embedded: EmbeddedUpstream) -> dict[Operation, dict[str, Any]]:
    async with source_over(embedded) as source:
        await source.crawl()
        answers = {}
        for file, name in OPERATIONS:
            document = (ROOT / "examples" / file).read_text(encoding="utf-8")
            answer = await gateway_over(source).execute(GraphQLRequest(document, operation_name=name))
            answers[file, name] = answer.decoded()
        return answers


@pytest.fixture(scope="module")
def stale(known: Known) -> Iterator[httpx.Client]:
    """Return a gateway to which the catalog is stale at once."""
    with gateway(known.upstream, known.storage, FRESH="0.001") as client:
        yield client


@pytest.fixture(scope="module")
def expired(known: Known) -> Iterator[httpx.Client]:
    """Return a gateway to which the catalog is too old at once. Its file is its own: it tries to refresh it
    itself."""
    limits = {"FRESH": "0.001", "STALE_WHILE_REVALIDATE": "0.001", "STALE_IF_ERROR": "0.001"}
    with gateway(known.upstream, known.copy, **limits) as client:
        yield client


def test_sync_tells_the_version_that_it_stored(known: Known) -> None:
    assert f"Version {known.catalog.version}: 300 packages, " in known.printed


def test_it_is_ready_from_the_catalog(known: Known, stale: httpx.Client) -> None:
    ready = stale.get("/readyz")
    body = ready.json()
    assert ready.status_code == 200
    assert (body["status"], body["answersFrom"]) == ("ready", "catalog")
    assert (body["catalog"]["version"], body["catalog"]["stale"]) == (known.catalog.version, True)


@pytest.mark.parametrize(("file", "name"), OPERATIONS)
def test_every_example_is_answered_in_full_and_marked_stale(
    known: Known, stale: httpx.Client, file: str, name: str
) -> None:
    document = (ROOT / "examples" / file).read_text(encoding="utf-8")
    operation = {"query": document, "operationName": name}
    answer = stale.post("/graphql", json=operation, headers={"X-Gateway-Receipt": "1"}).json()
    extensions = answer.pop("extensions")
    assert "errors" not in answer
    live = known.live[file, name]
    if "search" in live["data"]:
        # Upstream itself does this one thing better, and now the gateway does it.
        assert live["data"]["search"]["answeredBy"] == "UPSTREAM"
        assert answer["data"]["search"]["answeredBy"] == "CATALOG"
        assert answer["data"]["search"]["edges"]
    else:
        assert answer == live
        assert extensions["upstream"]["requests"] == 0
    assert extensions["freshness"]["stale"] is True
    assert extensions["freshness"]["version"] == known.catalog.version


def test_the_catalog_field_tells_what_is_known_and_how_old_it_is(known: Known, stale: httpx.Client) -> None:
    catalog = ask(stale, STATUS)["data"]["catalog"]
    refreshed_at = datetime.fromisoformat(catalog.pop("refreshedAt"))
    age = catalog.pop("ageSeconds")
    begun, ended = known.synced
    assert begun <= refreshed_at <= ended
    assert 0 <= age <= (datetime.now(UTC) - refreshed_at).total_seconds()
    assert catalog.pop("syncing") in (True, False)  # The gateway tries again and again.
    assert catalog == {
        "version": known.catalog.version,
        "stale": True,
        "packageCount": 300,
        "gridCount": len(known.catalog.grids),
        "categoryCount": 6,
    }


def test_what_the_catalog_does_not_know_is_an_error_at_its_place_alone(stale: httpx.Client) -> None:
    document = '{ known: package(databaseId: 1599) { slug } new: package(slug: "published-today") { slug } }'
    answer = ask(stale, document)
    (error,) = answer["errors"]
    assert answer["data"] == {"known": {"slug": "django-celery-email"}, "new": None}
    assert (error["path"], error["extensions"]["code"]) == (["new"], "UPSTREAM_UNAVAILABLE")


def test_no_upstream_request_succeeded(stale: httpx.Client) -> None:
    assert set(upstream_requests(stale)) <= {"UPSTREAM_UNAVAILABLE"}


def test_with_an_expired_catalog_upstream_is_asked_and_its_failure_is_the_error(
    expired: httpx.Client,
) -> None:
    answer = ask(expired, CANONICAL, receipt=True)
    (error,) = answer["errors"]
    assert answer["data"] == {"package": None}
    assert error["path"] == ["package"]
    assert error["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert answer["extensions"]["freshness"]["version"] is None


def test_what_needs_an_expired_catalog_says_how_old_it_is(expired: httpx.Client) -> None:
    (error,) = ask(expired, "{ stats { packageCount } }")["errors"]
    assert re.fullmatch(
        r"This needs the whole catalog, but it was last refreshed on \d{4}-\d{2}-\d{2}, "
        r"which is too long ago\.",
        error["message"],
    )


def test_with_an_expired_catalog_it_is_not_ready(expired: httpx.Client) -> None:
    ready = expired.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["answersFrom"]) == (
        503,
        "not ready",
        None,
    )


def test_readiness_still_tells_how_old_an_expired_catalog_is(known: Known, expired: httpx.Client) -> None:
    catalog = expired.get("/readyz").json()["catalog"]
    assert (catalog["version"], catalog["stale"], catalog["packageCount"]) == (
        known.catalog.version,
        True,
        300,
    )
    # No answer is made from it.
    assert ask(expired, STATUS)["data"]["catalog"]["version"] is None
