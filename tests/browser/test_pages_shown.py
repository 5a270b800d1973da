"""Tests every page as it is shown: wide and on a phone, light and dark, with pictures for people to look at."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.axe_in_pages import barriers
from tests.support.explore_pages import SHOTS

PICTURES = SHOTS.parent / "pages"
PAGES = {
    "home": "/",
    "docs": "/docs/",
    "document": "/docs/http.md",
    "code": "/docs/engine/plan_compiler.py",
    "query": "/graphql",
    "shared-query": "/graphql?query=%7B%20stats%20%7B%20packageCount%20%7D%20%7D&variables=%7B%7D",
    "explore": "/explore/",
    "files": "/catalog",
}
SCREENS = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module", autouse=True)
def _built(built_explore: None, built_graphiql: None) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_fits_its_screen_has_no_barrier_and_looks_like_this(
    demo: str, tab: Tab, name: str
) -> None:
    page = tab.page
    # The form is what is looked at; GraphiQL in its place has a test of its own.
    await page.route(
        "**/graphiql/page.js", lambda route: route.fulfill(body="", content_type="text/javascript")
    )
    for screen, size in SCREENS.items():
        await page.set_viewport_size({"width": size["width"], "height": size["height"]})
        await page.emulate_media(color_scheme="light")
        await page.goto(demo + PAGES[name])
        await expect(page.locator("[aria-busy=true], .skeleton")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth") == size["width"]
        await page.screenshot(path=PICTURES / f"{name}-{screen}-light.png", full_page=True)
        assert await barriers(page) == []
        await page.emulate_media(color_scheme="dark")
        await page.screenshot(path=PICTURES / f"{name}-{screen}-dark.png", full_page=True)
        assert await barriers(page, runOnly=["color-contrast"]) == []
    assert tab.foreign_requests() == []
    assert tab.complaints == []


@pytest.mark.parametrize("screen", SCREENS)
async def test_graphiql_is_in_the_frame_of_the_pages_with_its_answer(
    demo: str, tab: Tab, screen: str
) -> None:
    page, size = tab.page, SCREENS[screen]
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await page.goto(f"{demo}/graphql")
    answer = page.locator(".graphiql-response")
    await expect(answer).to_contain_text('"django-cacheback"')
    await expect(page.get_by_role("link", name="Django Packages, as a graph")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == size["width"]
    query = await page.locator(".graphiql-query-editor").bounding_box()
    shown = await answer.bounding_box()
    assert query
    assert shown
    if screen == "phone":
        assert shown["y"] >= query["y"] + query["height"]
        assert min(query["width"], shown["width"]) > size["width"] * 0.9
    else:
        assert shown["x"] >= query["x"] + query["width"]
    await page.screenshot(path=PICTURES / f"graphiql-{screen}-light.png", full_page=True)
    # What is ours around GraphiQL; its own parts are its own.
    assert (
        await barriers(page, runOnly=["region", "landmark-one-main", "document-title", "html-has-lang"]) == []
    )
    # It takes its colours when it is opened.
    await page.emulate_media(color_scheme="dark")
    await page.reload()
    await expect(answer).to_contain_text('"django-cacheback"')
    await page.screenshot(path=PICTURES / f"graphiql-{screen}-dark.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollHeight") < 2_000
    assert tab.complaints == []


async def test_an_answer_that_is_run_in_the_home_page_is_formatted_and_coloured(demo: str, tab: Tab) -> None:
    page = tab.page
    await page.goto(demo)
    await page.get_by_role("button", name="Run it").click()
    answer = page.locator(".answer code")
    await expect(page.get_by_role("status")).to_contain_text("Answered in")
    text = await answer.inner_text()
    assert re.search(r'^    "package": \{\n      "databaseId": 1442,$', text, re.MULTILINE)
    assert await answer.locator(".code-name").count() > 20
    # The whole query is seen without scrolling in its field.
    assert await page.get_by_label("Query", exact=True).evaluate(
        "field => field.scrollHeight <= field.clientHeight + 1"
    )
    assert page.url == f"{demo}/"
    await page.screenshot(path=PICTURES / "home-answered.png", full_page=True)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy", exact=True).first.click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl -s {demo}/graphql ")
    assert tab.complaints == []
