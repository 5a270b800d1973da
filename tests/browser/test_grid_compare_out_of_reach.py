"""Tests the app at /explore when the network or upstream is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.explore_pages import is_content, opened, shot
from tests.support.gateway_processes import gateway, refusing, sync
from tests.support.http_servers import free_port, serving
from upstream.embedded import EmbeddedUpstream

pytestmark = pytest.mark.usefixtures("built_explore")


@pytest.fixture(scope="module")
def outdated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the app at a gateway with a catalog from before upstream went away."""
    storage = tmp_path_factory.mktemp("outdated") / "catalog.sqlite"
    with serving(EmbeddedUpstream(packages=300)) as address:
        upstream = f"{address}/api/v4/"
        sync(upstream, storage)
    with refusing(urlsplit(upstream).port or 0), gateway(upstream, storage, FRESH="0.001") as client:
        yield address_of(client)


@pytest.fixture(scope="module")
def ignorant() -> Iterator[str]:
    """Return the address of the app at a gateway that has never reached upstream."""
    port = free_port()
    with (
        refusing(port),
        gateway(f"http://127.0.0.1:{port}/api/v4/", Path(":memory:"), UPSTREAM_ATTEMPTS="1") as client,
    ):
        yield address_of(client)


def address_of(client: httpx.Client) -> str:
    return str(client.base_url).rstrip("/") + "/explore/"


async def test_what_was_open_stays_there_offline_and_the_rest_comes_when_the_network_is_back(
    tab: Tab, explore: str
) -> None:
    page = await opened(tab, f"{explore}grids/email")
    await page.get_by_role("link", name="All grids").click()
    await expect(page.locator(".cards").get_by_role("heading", level=2)).to_have_count(24)
    await page.context.set_offline(True)
    await page.get_by_role("main").get_by_role("link", name="Docs", exact=True).click()
    problem = page.get_by_role("alert")
    await expect(problem).to_contain_text("The gateway cannot be reached; perhaps you are offline.")
    await shot(page, "offline")
    await problem.get_by_role("button", name="Try again").click()
    await expect(problem).to_be_visible()
    await page.go_back()
    await expect(page.locator(".cards").get_by_role("heading", level=2)).to_have_count(24)
    await page.go_back()
    await expect(page.get_by_role("row").filter(has_text="django-celery-email")).to_be_visible()
    await page.go_forward()
    await page.go_forward()
    await expect(problem).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_role("heading", level=1, name="Docs")).to_be_visible()
    await expect(problem).to_have_count(0)
    # These are the browser's own words, and the app adds none.
    assert all("ERR_INTERNET_DISCONNECTED" in complaint for complaint in tab.complaints)


async def test_with_upstream_down_it_works_from_the_catalog_and_says_how_old_that_is(
    tab: Tab, outdated: str
) -> None:
    page = await opened(tab, outdated)
    notice = page.get_by_role("note")
    await expect(notice).to_contain_text("These numbers are not up to date.")
    await page.get_by_role("main").get_by_role("heading", level=2).first.get_by_role("link").click()
    await expect(page.get_by_role("table")).to_be_visible()
    await expect(notice).to_be_visible()
    await shot(page, "stale")
    await page.get_by_role("searchbox").press_sequentially("celery")
    await expect(page.get_by_text("Found by the gateway itself")).to_be_visible()
    assert is_content(tab)


async def test_with_upstream_down_and_nothing_known_it_says_so_and_can_try_again(
    tab: Tab, ignorant: str
) -> None:
    page = tab.page
    for path in ("", "grids/email", "packages/django-celery-email", "search?q=celery"):
        await page.goto(ignorant + path)
        problem = page.get_by_role("alert")
        # Fields that need the whole catalog wait ten seconds for it.
        sentence = "Django Packages does not answer, or was not read yet."
        await expect(problem).to_contain_text(sentence)
        await expect(problem.get_by_role("button", name="Try again")).to_be_visible()
    await shot(page, "error")
    assert is_content(tab)
