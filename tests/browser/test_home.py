"""Tests the home page in a browser: without script, in light and dark, on a phone, and for those who hear it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.axe_in_pages import barriers
from tests.support.streaming_gateway import Served, served


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a gateway that has answered something from memory and has asked upstream for everything."""
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        for id in (1599, 683):
            gateway.ask("query($id: Int) { package(databaseId: $id) { title } }", id=id)
        yield gateway


async def test_it_is_read_and_used_without_script(gateway: Served, tab: Tab) -> None:
    browser = tab.page.context.browser
    assert browser
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(gateway.address)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Django Packages, as a graph")
    charts = [await chart.get_attribute("aria-label") for chart in await page.get_by_role("img").all()]
    # Other tests ask the same gateway.
    total = r"Answers, minute by minute\. \d+ in total, 100% of them from memory\."
    assert re.fullmatch(total, charts[0] or "")
    assert len(charts) == 2
    # Its styles are applied, and nothing is loaded that is of no use without script.
    button = page.get_by_role("button", name="Run it")
    assert await button.evaluate("button => getComputedStyle(button).cursor") == "pointer"
    kinds = {re.sub(r"(.*/pages/\w+)/.*", r"\1", address) for address in requests}
    assert kinds == {f"{gateway.address}/{path}" for path in ("", "pages/styles")}

    await page.get_by_label("Query", exact=True).fill("{ categories { title } }")
    await page.get_by_role("button", name="Run it").click()
    await page.wait_for_url("**/graphql?query=*")
    answer = json.loads(await page.locator(".answer code").inner_text())
    assert answer["data"]["categories"][0] == {"title": "Apps"}
    assert complaints == []


async def test_its_first_door_is_graphiql(gateway: Served, tab: Tab) -> None:
    await tab.page.goto(gateway.address)
    await tab.page.get_by_role("link", name="Open GraphiQL").click()
    await expect(tab.page).to_have_title("GraphiQL: Django Packages")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_has_no_barrier_that_axe_finds_and_fits_the_screen(
    gateway: Served, tab: Tab, scheme: str, width: int
) -> None:
    await tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await tab.page.set_viewport_size({"width": width, "height": 800})
    await tab.page.goto(gateway.address)
    assert await barriers(tab.page) == []
    assert await tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert tab.foreign_requests() == []
    assert tab.complaints == []
