"""Looks by axe for what keeps people from using a page."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

from tests.support.required_programs import npm_install

PACKAGES = Path(__file__).parents[1] / "browser"

OPTIONS = {"resultTypes": ["violations"]}
"""Lets axe describe the elements that break its rules, and not the hundreds that keep them."""


async def add_axe(page: Page) -> None:
    """Let ``axe`` be known in the page."""
    if not await page.evaluate("'axe' in window"):
        axe = npm_install(PACKAGES) / "axe-core" / "axe.min.js"
        await page.evaluate(axe.read_text(encoding="utf-8"))


async def barriers(page: Page, **options: object) -> list[tuple[str, str]]:
    """Return what axe finds with these options: the rule, and the first place that breaks it."""
    await add_axe(page)
    found = await page.evaluate("options => axe.run(document, options)", OPTIONS | options)
    return [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
