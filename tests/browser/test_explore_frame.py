"""Tests the frame of the app at /explore: the way home and to the other pages, and what is there before the app."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.explore_pages import is_content, opened


async def test_it_leads_home_and_to_the_other_pages_of_the_site(tab: Tab, explore: str) -> None:
    page = await opened(tab, explore)
    site = page.get_by_role("banner")
    links = [await link.get_attribute("href") for link in await site.get_by_role("link").all()]
    assert links == ["/", "/explore", "/graphql", "/docs/"]
    await expect(page.get_by_role("complementary", name="About the data")).to_contain_text("Demo data")
    assert is_content(tab)


async def test_until_the_app_has_come_its_header_and_shapes_are_there(tab: Tab, explore: str) -> None:
    await tab.page.route("**/*.js", lambda route: route.abort())
    await tab.page.goto(explore)
    assert await tab.page.locator(".skeleton.cards span").count() == 8
    await expect(tab.page.locator(".skeleton.cards")).to_be_visible()
    await tab.page.get_by_role("link", name="Django Packages, as a graph").click()
    await expect(tab.page.get_by_role("heading", level=1, name="Django Packages, as a graph")).to_be_visible()
