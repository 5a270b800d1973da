"""Tests that clients get what docs/partial-failure.md says of each fault of upstream, over real HTTP to upstream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from catalog.sync.crawl_guard import CatalogRefused
from tests.support.faulty_sites import FAULTS, KNOWN, NEW, NEW_ID, FaultySites, Site, faulty_sites
from tests.support.gateway_in_process import client_of, source_over
from tests.support.impatient_clients import until
from tests.support.settings_for_tests import settings_for_tests
from upstream.batching.recent_answers import REMEMBERED_SECONDS
from upstream.client import UpstreamError
from upstream.embedded import EmbeddedCatalog, generated_catalog
from wiring import make_app

DOCUMENT = Path(__file__).parents[2] / "docs" / "partial-failure.md"
QUERY = "query($slug: String!) { package(slug: $slug) { slug } }"
AGES: dict[str, dict[str, object]] = {
    "none": {"storage": ":memory:"},
    "fresh": {},
    "stale": {"fresh": 0.0, "crawl": "on"},
    "expired": {"fresh": 0.0, "stale_while_revalidate": 0.0, "stale_if_error": 0.0},
}
"""The settings with which a catalog that was just stored has this age."""
OF_THE_INSIDE = ("Traceback", ".py", "aiohttp", "httpx", "sqlite", "Errno")
"""The words about the gateway's inside that no error may have."""
LONG_ENOUGH = 60.0
"""Seconds for what takes none on a quiet machine."""


def rows_of_the_table() -> dict[str, dict[str, str]]:
    """Return the cells of the table in the document, by fault and by column."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    head, _line, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cells[0]: dict(zip(head[1:], cells[1:], strict=True)) for cells in rows}


TABLE = rows_of_the_table()
each_fault = pytest.mark.parametrize("fault", FAULTS)


@pytest.fixture(scope="module")
def sites() -> Iterator[FaultySites]:
    with faulty_sites() as sites:
        yield sites


@pytest.fixture(scope="module")
def rows() -> EmbeddedCatalog:
    return generated_catalog(40)


@pytest.fixture
def site(fault: str, sites: FaultySites, rows: EmbeddedCatalog) -> Site:
    """Return the site with this fault, which has not begun."""
    every = (rows.packages.values(), rows.grids.values(), rows.categories.values())
    return sites.site(fault, EmbeddedCatalog(*every))


@pytest.fixture
def cells(fault: str) -> dict[str, str]:
    """Return what the document says of this fault."""
    return TABLE[fault]


@dataclass(frozen=True)
class OpenGateway:
    """Holds a gateway in this process, and a client of it."""

    http: httpx.AsyncClient
    source: CatalogSource
    upstream: str
    """The host and port of upstream, which no client is told."""

    async def answer(self, slug: str) -> str:
        """Ask for a package, and return the outcome in the words of the table."""
        body = {"query": QUERY, "variables": {"slug": slug}}
        response = await self.http.post("/graphql", json=body, headers={"X-Gateway-Receipt": "1"})
        for private in (self.upstream, *OF_THE_INSIDE):
            assert private not in response.text
        answer = response.json()
        if "errors" in answer:
            (error,) = answer["errors"]
            assert (answer["data"], error["path"]) == ({"package": None}, ["package"])
            return f"`{error['extensions']['code']}`"
        assert answer["data"] == {"package": {"slug": slug}}
        if answer["extensions"]["upstream"]["requests"]:
            return "live data"
        return "stale data" if answer["extensions"]["freshness"]["stale"] else "fresh data"

    async def pause(self, slug: str) -> float:
        """Ask for a package that cannot be had, and return the seconds after which the gateway wants to be asked
        again."""
        answer = (await self.http.post("/graphql", json={"query": QUERY, "variables": {"slug": slug}})).json()
        return float(answer["errors"][0]["extensions"]["retryAfter"])

    @property
    def requests(self) -> int:
        """Return how many requests upstream has had."""
        return self.source.client.exchanger.outcomes.total()


@asynccontextmanager
async def gateway(site: Site, storage: Path, age: str, path: str = "") -> AsyncIterator[OpenGateway]:
    """Open a gateway whose catalog is so old, over a site that has one package more since then, and the fault.

    Below ``path`` alone if there is one.
    """
    settings: dict[str, object] = {"upstream": site.address, "storage": str(storage)}
    async with source_over(site.embedded, **settings) as source:
        await source.crawl()
    site.embedded.catalog.insert_package(id=NEW_ID, slug=NEW)
    site.break_down(path)
    patience = site.fault.patience
    settings |= {"upstream_timeout": patience, "upstream_total_timeout": 2 * patience, "limit_seconds": 300}
    app = make_app(settings_for_tests(**settings | {"upstream_answer_bytes": 200_000} | AGES[age]))
    async with client_of(app) as http:
        yield OpenGateway(http, app.parts.source, urlsplit(site.address).netloc)


def test_the_table_has_each_fault() -> None:
    assert list(TABLE) == list(FAULTS)


@each_fault
async def test_without_a_catalog(site: Site, cells: dict[str, str], tmp_path: Path) -> None:
    async with gateway(site, tmp_path / "catalog.sqlite", "none") as opened:
        first = await opened.answer(KNOWN)
        site.recover()
        assert first == cells["no catalog"]
        before = opened.requests
        again = await opened.answer(KNOWN)
        if first == "live data":
            assert cells["the same lookup again"] == "at once"
        elif opened.requests > before:
            assert cells["the same lookup again"] == "at once"
            if site.can_recover:
                await until_it_is(again, lambda: opened.answer(KNOWN), "live data")
        elif first == "`UPSTREAM_BAD_DATA`":
            # The failure is remembered only for this record, and another one is asked for.
            assert cells["the same lookup again"] == f"after {REMEMBERED_SECONDS:g} s"
            assert (again, await opened.answer("django-celery-email")) == (first, "live data")
        else:
            pause = await opened.pause(KNOWN)
            asked_for = float(cells["the same lookup again"].removeprefix("after ").removesuffix(" s"))
            assert asked_for - LONG_ENOUGH < pause <= asked_for


async def until_it_is(found: str, ask: Callable[[], Awaitable[str]], wanted: str) -> None:
    """Ask again until this is the answer, because a busy machine may take more time than upstream has."""
    async with asyncio.timeout(LONG_ENOUGH):
        while found != wanted:
            found = await ask()


@each_fault
async def test_with_a_fresh_catalog(site: Site, cells: dict[str, str], tmp_path: Path) -> None:
    async with gateway(site, tmp_path / "catalog.sqlite", "fresh") as opened:
        assert await opened.answer(KNOWN) == cells["fresh catalog"]
        assert opened.requests == 0
        assert await opened.answer(NEW) == cells["a package that it lacks"]


@each_fault
async def test_with_a_stale_catalog(
    site: Site, cells: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(site, tmp_path / "catalog.sqlite", "stale") as opened:
        assert await opened.answer(KNOWN) == cells["stale catalog"]
        await until(lambda: bool(opened.source.leader.attempts.outcomes))
        said = re.search(r"next try in (\d+) s", caplog.text)
        if cells["the next crawl"] == "as usual":
            assert said is None
        else:
            assert said is not None
            seconds, expected = (
                int(said[1]),
                int(cells["the next crawl"].removeprefix("after ").removesuffix(" s")),
            )
            # It varies by a tenth if upstream does not say when it is to be asked.
            assert 0.89 * expected <= seconds <= 1.11 * expected
        assert await opened.answer(KNOWN) == cells["stale catalog"]


@each_fault
async def test_with_an_expired_catalog(site: Site, cells: dict[str, str], tmp_path: Path) -> None:
    async with gateway(site, tmp_path / "catalog.sqlite", "expired") as opened:
        assert await opened.answer(KNOWN) == cells["expired catalog"]
        # It is stored, to be served after the next crawl, and the answer says so.
        assert (await opened.http.get("/readyz")).json()["catalog"]["packageCount"] == 40
        for address in ("/readyz", "/", "/metrics"):
            told = (await opened.http.get(address)).text
            assert not [private for private in (opened.upstream, str(tmp_path)) if private in told]


@each_fault
async def test_in_a_crawl(site: Site, cells: dict[str, str], tmp_path: Path) -> None:
    async with gateway(site, tmp_path / "catalog.sqlite", "fresh", site.fault.in_crawl) as opened:
        before = opened.source.latest
        try:
            await opened.source.crawl()
            outcome = "succeeds"
        except CatalogRefused:
            outcome = "refused"
        except UpstreamError as error:
            outcome = f"`{error.code}`"
        assert f"{await opened.answer(KNOWN)}; {outcome}" == cells["a crawl meets it"]
        if outcome != "succeeds":
            assert opened.source.latest is before
            assert (await opened.source.changes(0, 1000)).entries == ()
