"""Tests that axe finds inside GraphiQL, in all its panels and dialogs, only what is listed here as GraphiQL's own."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tab
from tests.support.axe_in_pages import OPTIONS, add_axe
from tests.support.graphiql_pages import open_page
from tests.support.streaming_gateway import Served

UPSTREAM: dict[tuple[str, str], str] = {
    ("nested-interactive", ".graphiql-tab"): "A tab is a list item with the role, and has its buttons in it.",
    (
        "label-content-name-mismatch",
        ".graphiql-history-item-label",
    ): "The button with the name of an operation is called `Set active`.",
    ("label", ".graphiql-explorer-root input[type=text]"): "The values of arguments have no labels.",
    ("select-name", ".graphiql-explorer-actions select"): "The choice of what to add has no label.",
}
"""The rules that GraphiQL and its plugins break by what they render, by the rule and the place, with the reason.

README.md lists them too.
"""

FIND = """async ([places, options]) => {
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => {
    const element = document.querySelector(target.at(-1));
    return [id, places.find(place => element?.matches(place)) ?? html];
  }));
}"""


async def found(page: Page) -> set[tuple[str, str]]:
    """Return the rules that are broken now, each with the place of the list where it is, or with the element."""
    places = [place for _, place in UPSTREAM]
    return {(rule, place) for rule, place in await page.evaluate(FIND, [places, OPTIONS])}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_axe_finds_nothing_in_graphiql_but_what_is_its_own(
    built_graphiql: None, gateway: Served, tab: Tab, scheme: str, width: int
) -> None:
    page = tab.page
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    await open_page(page, gateway)
    await add_axe(page)
    barriers: set[tuple[str, str]] = set()
    for panel, shown in {
        "Documentation Explorer": ".graphiql-doc-explorer-type-name",
        "History": ".graphiql-history-item",
        "GraphiQL Explorer": ".graphiql-explorer-field-view",
        "Receipt": ".receipt dl",
    }.items():
        await page.get_by_role("button", name=f"Show {panel}").click()
        await expect(page.locator(shown).first).to_be_visible()
        barriers |= await found(page)
    for button in ("Open short keys dialog", "Open settings dialog"):
        await page.get_by_role("button", name=button).click()
        dialog = page.locator(".graphiql-dialog")
        await expect(dialog).to_be_visible()
        barriers |= await found(page)
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
    assert barriers == UPSTREAM.keys()
    assert tab.complaints == []
