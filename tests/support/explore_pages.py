"""Provides pages of the app at /explore: opened, kept as pictures, and asked what they complained of."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import Tab
from tests.support.gateway_processes import ROOT

SHOTS = ROOT / ".ci" / "output" / "grid-compare"


async def opened(tab: Tab, address: str) -> Page:
    """Return the page, when what it asked for has come."""
    await tab.page.goto(address)
    await expect(tab.page.locator("[aria-busy=true], .skeleton")).to_have_count(0)
    return tab.page


async def shot(page: Page, name: str) -> None:
    await page.screenshot(path=SHOTS / f"{name}.png")


def is_content(tab: Tab) -> bool:
    """Assert that the page complained of nothing, and asked only its own host."""
    assert tab.complaints == []
    assert tab.foreign_requests() == []
    return True
