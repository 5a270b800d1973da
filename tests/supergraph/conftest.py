"""Provides the example supergraph, running: three services behind counters, and three gateways over them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gateway_in_process import app_over, source_over
from tests.support.http_servers import serving
from tests.support.required_programs import npm_install
from tests.support.supergraph_programs import EXAMPLE, Service, compose, counted, program
from upstream.embedded import EmbeddedUpstream

SECRET = "known-to-routers-alone"
GATEWAYS = ("apollo", "hive", "stitching")


@dataclass
class Supergraph:
    """The example, running."""

    upstream: EmbeddedUpstream
    djangopackages: Service
    releases: Service
    repositories: Service
    gateways: dict[str, str]
    """The address of each gateway by its name."""

    def forget(self) -> None:
        """Count anew, and let everybody answer."""
        self.upstream.requests.reset()
        self.upstream.faults.clear()
        for service in (self.djangopackages, self.releases, self.repositories):
            service.asked.clear()
            service.secrets.clear()
            service.fails = False


@pytest.fixture(scope="session")
def installed() -> None:
    """Install the packages of the example."""
    npm_install(EXAMPLE)


@pytest.fixture(scope="session")
def upstream() -> EmbeddedUpstream:
    return EmbeddedUpstream()


@pytest.fixture(scope="session")
def catalog(upstream: EmbeddedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a gateway of this project that knows the whole catalog."""
    storage = tmp_path_factory.mktemp("catalog") / "catalog.sqlite"
    asyncio.run(_crawl(upstream, storage))
    with serving(app_over(upstream, storage=str(storage), router_secret=SECRET)) as address:
        yield f"{address}/graphql"


@pytest.fixture(scope="session")
def running(
    installed: None, upstream: EmbeddedUpstream, catalog: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supergraph]:
    with ExitStack() as stack:
        services = {
            "djangopackages": catalog,
            "releases": stack.enter_context(program("subgraphs/releases.js")).address,
            "repositories": stack.enter_context(program("subgraphs/repositories.js")).address,
        }
        behind = {name: stack.enter_context(counted(address)) for name, address in services.items()}
        environment = {f"{name.upper()}_URL": service.url for name, service in behind.items()}
        composed = compose(**environment)
        assert composed.returncode == 0, composed.stderr
        supergraph = tmp_path_factory.mktemp("supergraph") / "supergraph.graphql"
        supergraph.write_text(composed.stdout, encoding="utf-8")
        environment |= {"SUPERGRAPH": str(supergraph), "ROUTER_SECRET": SECRET}
        gateways = {
            name: stack.enter_context(program(f"gateways/{name}.js", **environment)).address
            for name in GATEWAYS
        }
        yield Supergraph(upstream, gateways=gateways, **behind)


@pytest.fixture
def supergraph(running: Supergraph) -> Supergraph:
    """Return the supergraph, of which nobody has asked anything yet."""
    running.forget()
    return running


@pytest.fixture(params=GATEWAYS)
def gateway(request: pytest.FixtureRequest, supergraph: Supergraph) -> str:
    """Return the address of each gateway in turn."""
    return supergraph.gateways[request.param]


async def _crawl(upstream: EmbeddedUpstream, storage: Path) -> None:
    async with source_over(upstream, storage=str(storage)) as source:
        await source.crawl()
