"""Provides a real browser, Debian's Chromium driven by Playwright, that reaches no host but this machine."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.gateway_processes import STATUS, ask, until
from tests.support.gateway_processes import gateway as demo_gateway
from tests.support.required_programs import make, need
from tests.support.streaming_gateway import Served, served

# CI's machines are slow at times; whoever waits for something that comes waits no longer for it.
expect.set_options(timeout=60_000)

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    # Debian turns these on, and without a GPU the processor does their work twice.
    "--disable-gpu-compositing",
    "--disable-gpu-rasterization",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@dataclass
class Tab:
    """A page of the browser, with everything that it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """The addresses of its requests."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings in its console, exceptions, and requests that failed."""

    def foreign_requests(self) -> list[str]:
        """Requests to other machines than this."""
        return [url for url in self.requests if urlsplit(url).hostname not in ("127.0.0.1", None)]


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makemodule() -> Generator[None, pytest.Module, pytest.Module]:
    """Run all tests of this folder in one event loop, which is that of the one browser.

    The files are marked before their tests are made, because a loop of its own is chosen for each test as it is made.
    """
    module = yield
    module.add_marker(pytest.mark.asyncio(loop_scope="session"))
    return module


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Return the browser. It takes seconds to start, so that all tests share it."""
    chromium = _installed()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield browser
        await browser.close()


def _installed() -> str:
    """Return the path of Chromium, of its headless shell if there is one: without a window, which nobody sees here, a
    tab opens in a sixth of the time."""
    if shell := shutil.which("chromium-headless-shell"):
        return shell
    need("chromium")
    return "/usr/bin/chromium"


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    """Return a tab with an empty profile of its own."""
    async with await browser.new_context() as context:
        tab = Tab(await context.new_page())
        page = tab.page
        page.on("request", lambda request: tab.requests.append(request.url))
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                tab.complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        yield tab


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a gateway that knows its catalog, to all tests that do not mind one another."""
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a gateway in a process of its own that knows the whole embedded catalog."""
    with demo_gateway("embedded", tmp_path_factory.mktemp("known") / "catalog.sqlite") as client:
        until(lambda: ask(client, STATUS)["data"]["catalog"]["packageCount"])
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="session")
def built_explore() -> None:
    """Build the app at /explore, which takes seconds, where it is not built."""
    make("explore")


@pytest.fixture(scope="session")
def explore(built_explore: None, demo: str) -> str:
    """Return the address of the app at the gateway that knows the whole catalog."""
    return f"{demo}/explore/"


@pytest.fixture(scope="session")
def built_graphiql() -> None:
    """Build GraphiQL, which takes seconds, where it is not built."""
    make("graphiql")
