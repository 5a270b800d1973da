"""Tests the app at /explore in a real browser, as people use it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import WebSocket, expect

from tests.browser.conftest import Tab
from tests.support.explore_pages import is_content, opened
from tests.support.streaming_gateway import Served, served


@pytest.fixture(scope="module")
def gateway_with_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a gateway that has seen the stars of a package grow twice."""
    with served(tmp_path_factory.mktemp("history") / "catalog.sqlite") as gateway:
        for stars in (478, 482):
            gateway.upstream.catalog.update_package(1599, repo_watchers=stars)
            gateway.crawl()
        yield gateway


async def test_it_opens_with_all_grids_narrows_them_and_brings_more(tab: Tab, explore: str) -> None:
    page = await opened(tab, explore)
    grids = page.locator(".cards").get_by_role("heading", level=2)
    await expect(grids).to_have_count(24)
    await page.get_by_role("button", name="Show more grids").click()
    await expect(grids).to_have_count(48)
    await expect(page.get_by_text("48 of 440 grids")).to_be_visible()
    await page.get_by_label("Narrow the grids").fill("mail")
    await expect(page.get_by_role("status").first).to_have_text("8 grids found")
    await expect(grids).to_have_count(8)
    await page.get_by_label("Narrow the grids").fill("no such grid")
    await expect(page.get_by_text("No grid has “no such grid”")).to_be_visible()
    assert is_content(tab)


async def test_a_package_shows_how_its_stars_grew_and_the_first_page_what_is_new(
    tab: Tab, built_explore: None, gateway_with_history: Served
) -> None:
    explore = f"{gateway_with_history.address}/explore/"
    page = await opened(tab, f"{explore}packages/django-celery-email")
    grew = page.get_by_role("img", name=re.compile("^From 475 to 482 stars since "))
    await expect(grew).to_be_visible()
    await expect(page.get_by_text("+7", exact=True)).to_be_visible()
    page = await opened(tab, explore)
    await expect(page.get_by_role("region", name="New packages").get_by_role("listitem")).to_have_count(5)
    trending = page.get_by_role("region", name="Most stars gained lately").get_by_role("listitem")
    await expect(trending).to_have_count(1)
    await expect(trending).to_contain_text("+7 to 482")
    assert is_content(tab)


async def test_one_switches_from_grid_to_grid_and_the_focus_goes_along(tab: Tab, explore: str) -> None:
    page = await opened(tab, explore)
    for title in ("Mail backends", "Docs"):
        await page.get_by_role("main").get_by_role("link", name=title, exact=True).click()
        title_of_page = page.get_by_role("heading", level=1, name=title)
        await expect(title_of_page).to_be_focused()
        await expect(page).to_have_title(f"{title} · Grid compare")
        await expect(page.get_by_role("table")).to_be_visible()
        await page.get_by_role("link", name="All grids").click()
    await page.go_back()
    await expect(page.get_by_role("heading", level=1, name="Docs")).to_be_visible()
    assert is_content(tab)


async def test_a_grid_has_its_packages_page_by_page_with_all_that_they_are_compared_by(
    tab: Tab, explore: str
) -> None:
    page = await opened(tab, f"{explore}grids/mail-backends?order=COMMITS_DESC")
    rows = page.get_by_role("table").locator("tbody tr")
    await expect(rows).to_have_count(20)
    first = rows.first
    await expect(first).to_contain_text("django_measure_banner_lite")
    for text in ("5,535", "309", "24.1", "weeks ago", "231"):
        await expect(first).to_contain_text(text)
    await expect(first.get_by_role("img")).to_have_accessible_name(re.compile("^231 commits in 52 weeks, "))
    await page.get_by_role("button", name="Show more packages").click()
    await expect(rows).to_have_count(29)
    await expect(page.get_by_role("button", name="Show more packages")).to_have_count(0)
    await expect(page.get_by_text("29 of 29 packages")).to_be_focused()
    assert is_content(tab)


async def test_a_header_orders_all_packages_of_the_grid_by_keyboard_too(tab: Tab, explore: str) -> None:
    page = await opened(tab, f"{explore}grids/mail-backends")
    forks = page.locator("tbody td:nth-of-type(3)")
    header = page.get_by_role("columnheader", name="Forks")
    for key, direction in (("Enter", "descending"), ("Space", "ascending")):
        await header.get_by_role("button").press(key)
        await expect(header).to_have_attribute("aria-sort", direction)
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        numbers = [int(text.replace(",", "")) for text in await forks.all_inner_texts()]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert len(numbers) == 20
        await expect(header.get_by_role("button")).to_be_focused()
    assert is_content(tab)


async def test_packages_are_picked_to_stand_side_by_side_with_their_ranks(tab: Tab, explore: str) -> None:
    page = await opened(tab, f"{explore}grids/email")
    for title in ("django-celery-email", "dj-address"):
        await page.get_by_role("checkbox", name=f"Compare {title}").check()
    side = page.get_by_role("region", name="Side by side").get_by_role("table")
    await expect(side.get_by_role("row", name="Stars")).to_have_text("Stars475rank 5469rank 6")
    assert page.url.endswith("?compare=django-celery-email%2Cdj-address")
    await page.get_by_role("button", name="Take django-celery-email out").click()
    await expect(side.get_by_role("row", name="Stars")).to_have_text("Stars469rank 6")
    assert is_content(tab)


async def test_the_search_answers_while_one_types_and_goes_on_for_more(tab: Tab, explore: str) -> None:
    page = await opened(tab, explore)
    field = page.get_by_role("searchbox", name="Search packages and grids")
    await field.press_sequentially("celery")
    await expect(page.get_by_role("status").first).to_have_text("10 or more results for celery")
    await expect(field).to_be_focused()
    results = page.get_by_role("main").get_by_role("listitem")
    await page.get_by_role("button", name="Show more results").click()
    await expect(results).to_have_count(20)
    await field.fill('"celery email" OR nosuchword')
    await field.press("Enter")
    await results.get_by_role("link", name="django-celery-email", exact=True).click()
    await expect(page.get_by_role("heading", level=1, name="django-celery-email")).to_be_focused()
    await expect(field).to_have_value("")
    assert is_content(tab)


async def test_a_package_shows_its_grids_and_leads_to_related_packages(tab: Tab, explore: str) -> None:
    page = await opened(tab, f"{explore}packages/django-celery-email")
    await expect(page.get_by_role("region", name="Compared on")).to_have_text("Compared onEmail 8 packages")
    related = page.get_by_role("region", name="Related packages")
    await expect(related.get_by_role("listitem")).to_have_count(7)
    await related.get_by_role("link", name="dj-address").click()
    await expect(page.get_by_role("heading", level=1, name="dj-address")).to_be_focused()
    assert is_content(tab)


async def test_what_a_page_asks_for_can_be_kept_by_caches(tab: Tab, explore: str) -> None:
    async with tab.page.expect_response(re.compile(r"/graphql\?.*operationName=Grid&")) as asked:
        await opened(tab, f"{explore}grids/email")
    headers = await (await asked.value).all_headers()
    assert headers["cache-control"].startswith("public, max-age=")
    assert "etag" in headers


async def test_what_changes_upstream_changes_on_the_page(tab: Tab, tmp_path: Path) -> None:
    subscribed = asyncio.Event()

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: subscribed.set() if "catalogChanged" in frame else None)

    tab.page.on("websocket", watch)
    with served(tmp_path / "catalog.sqlite") as gateway:
        page = await opened(tab, f"{gateway.address}/explore/packages/django-celery-email")
        await expect(page.get_by_role("main")).to_contain_text("Stars475")
        await asyncio.wait_for(subscribed.wait(), 30)
        gateway.upstream.catalog.update_package(1599, repo_watchers=476)
        await asyncio.to_thread(gateway.crawl)
        await expect(page.get_by_role("main")).to_contain_text("Stars476")
        assert is_content(tab)
        # Else the gateway would wait for it to end the subscription.
        await page.close()
