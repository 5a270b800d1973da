"""Tests that the app at /explore has no barrier for people with a keyboard, a screen reader, a dark screen or a
phone."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.axe_in_pages import barriers
from tests.support.explore_pages import is_content, opened, shot

PAGES = {
    "grids": "",
    "grid": "grids/mail-backends?order=COMMITS_DESC",
    "side-by-side": "grids/email?compare=django-celery-email,dj-address",
    "package": "packages/django-celery-email",
    "search": "search?q=celery",
    "nothing-found": "search?q=nosuchword",
    "not-found": "grids/no-such-grid",
}


async def test_the_keyboard_skips_the_header(tab: Tab, explore: str) -> None:
    page = await opened(tab, explore)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Narrow the grids")).to_be_focused()
    assert is_content(tab)


async def test_no_page_has_a_barrier_that_axe_finds_in_light_or_dark(tab: Tab, explore: str) -> None:
    for name, path in PAGES.items():
        await tab.page.emulate_media(color_scheme="light")
        page = await opened(tab, explore + path)
        await shot(page, f"{name}-light")
        assert await barriers(page) == []
        await page.emulate_media(color_scheme="dark")
        await shot(page, f"{name}-dark")
        assert await barriers(page, runOnly=["color-contrast"]) == []
    assert is_content(tab)


async def test_nothing_is_wider_than_a_phone(tab: Tab, explore: str) -> None:
    await tab.page.set_viewport_size({"width": 360, "height": 740})
    for name, path in PAGES.items():
        page = await opened(tab, explore + path)
        await shot(page, f"{name}-phone")
        assert await page.evaluate("document.documentElement.scrollWidth") == 360, name
