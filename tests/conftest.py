"""Provides what most tests stand on: a small embedded upstream, and the gateway over it, both in this process."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import settings

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.event_loops import LoopWithSharedThreads
from tests.support.gateway_in_process import Ask, app_over, asking, source_over
from tests.support.generated_upstreams import generated_upstream, shared_rows
from tests.support.numbers_of_examples import ALL_EXAMPLES
from tests.support.reports_of_workers import run_and_tell_what_counts, tells_only_what_counts
from tests.support.scheduled_tests import ByWhatTheyShare, in_order
from tests.support.tests_that_leave_the_process import leaves_the_process
from tests.support.virtual_time import LoopInVirtualTime
from upstream.client.api_client import Client
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream
from web.app import GatewayApp

settings.register_profile("quick", max_examples=ALL_EXAMPLES // 5)


def pytest_sessionstart() -> None:
    """Let Ctrl-C end the tests as before, by a function that ``asyncio`` does not know.

    It would replace Python's own whenever a loop runs and put it back afterwards, ten times in a test that does nothing
    else, which takes as long as half of the rest of such a test.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def pytest_collection() -> None:
    """Import the tests without the garbage collector, which would find next to nothing."""
    gc.disable()
    # httpx looks for this package at each request to an app in this process, in every folder that Python imports from.
    # The entry says that it is not installed, as is so.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that leave the process, so that they can be left out, and let the longest begin first."""
    for item in items:
        if isinstance(item, pytest.Function) and leaves_the_process(item):
            item.add_marker("leaves_the_process")
    items[:] = in_order(items)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, type[LoopWithSharedThreads]]:
    """Run the tests in loops that share their threads, and in virtual time where they ask for it."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual time": LoopInVirtualTime}
    return {"shared threads": LoopWithSharedThreads}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares something, where ``--dist loadscope`` asks for it."""
    return ByWhatTheyShare(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report less where several processes run the tests, which costs more than most tests."""
    if not tells_only_what_counts(item.config):
        return None
    run_and_tell_what_counts(item, nextitem)
    return True


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through the modules and the collected tests, not even once: their garbage
    is a few megabytes, and to find it takes as long as fifty tests."""
    gc.freeze()
    gc.enable()
    # Parsed documents have cycles. To look for garbage often, while it is still in the processor's cache, takes half of
    # the time that it takes after every 10,000 objects, and what runs in between is faster too.
    gc.set_threshold(2_000, 20, 50)


@pytest.fixture(scope="session")
def _crawled() -> Catalog:
    return asyncio.run(_crawl(shared_rows(300)))


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return the v4 API with a catalog of 300 packages, which the test may change: rows are only ever replaced."""
    return generated_upstream(300)


@pytest.fixture(scope="session")
def whole_embedded_catalog() -> EmbeddedCatalog:
    """Return the 5,400 packages with every trap of the contract. Shared: do not change it."""
    return shared_rows()


@pytest.fixture(scope="session")
def whole_catalog(whole_embedded_catalog: EmbeddedCatalog) -> Catalog:
    """Return the same as a gateway knows it when it has crawled."""
    return asyncio.run(_crawl(whole_embedded_catalog))


async def _crawl(embedded: EmbeddedCatalog) -> Catalog:
    async with source_over(EmbeddedUpstream(catalog=embedded)) as source:
        return (await source.crawl()).snapshot.catalog


@pytest.fixture
async def whole_source(
    whole_embedded_catalog: EmbeddedCatalog, whole_catalog: Catalog
) -> AsyncIterator[CatalogSource]:
    """Return a source that knows all of it."""
    async with source_over(EmbeddedUpstream(catalog=whole_embedded_catalog)) as source:
        source.publisher.snapshot = Snapshot(whole_catalog, datetime.now(UTC))
        yield source


@pytest.fixture
async def source(embedded: EmbeddedUpstream) -> AsyncIterator[CatalogSource]:
    """Return the embedded upstream as the gateway sees it, without a catalog."""
    async with source_over(embedded) as source:
        yield source


@pytest.fixture
def client(source: CatalogSource) -> Client:
    return source.client


@pytest.fixture(params=["engine", "strawberry"])
def use_engine(request: pytest.FixtureRequest) -> bool:
    """Run every test of the graph both ways."""
    return bool(request.param == "engine")


@pytest.fixture
def ask(source: CatalogSource, use_engine: bool) -> Ask:
    """Runs a query and gives the body of its answer."""
    return asking(source, use_engine=use_engine)


@pytest.fixture
def known_source(source: CatalogSource, _crawled: Catalog) -> CatalogSource:
    """Return the source when it knows the catalog, which all tests share and which is not stored."""
    source.publisher.snapshot = Snapshot(_crawled, datetime.now(UTC))
    return source


@pytest.fixture
def ask_catalog(known_source: CatalogSource) -> Ask:
    """Runs a query by the engine alone when the catalog is known; no request to upstream has been counted."""
    return asking(known_source)


@pytest.fixture
def app(embedded: EmbeddedUpstream, use_engine: bool) -> GatewayApp:
    return app_over(embedded, engine="on" if use_engine else "off")


@pytest.fixture
async def http(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    """Return an HTTP client of the gateway."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client
