"""Tests GraphiQL in a browser that reaches no other server: as it was built, and as it comes from a CDN."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Tab
from tests.support.graphiql_pages import asks, open_page, write
from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import Served
from web.pages.graphiql import CANONICAL, GraphiQLPage
from web.pages.page_frame import Site
from web.pages.query_form import Asked, answer_html

PACKAGES = Path(__file__).parent
ADDRESS = re.compile(r"https://[^/]+/npm/((?:@[^/]+/)?[^@/]+)@([^/]+)/(.+)")
"""Matches the address of a file at the CDN: the package, its version, the path in it."""


@pytest_asyncio.fixture(loop_scope="session")
async def graphiql(built_graphiql: None, gateway: Served, tab: Tab) -> AsyncIterator[Page]:
    """Return the page that was built. In the end it has asked nobody else, and its console has no complaint."""
    await open_page(tab.page, gateway)
    yield tab.page
    assert tab.foreign_requests() == []
    assert tab.complaints == []


async def run(page: Page) -> None:
    await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()


async def check_query_and_receipt(page: Page, gateway: Served) -> None:
    async with page.expect_response(lambda response: asks(response, "Canonical")) as answered:
        await run(page)
    answer = await (await answered.value).json()
    assert answer["data"]["package"]["slug"] == "django-cacheback"
    upstream, version = answer["extensions"]["upstream"], answer["extensions"]["freshness"]["version"]
    shown = page.locator(".graphiql-response")
    await expect(shown).to_contain_text('"django-cacheback"')
    for of_the_receipt in ("recordsFromMemory", "predicted", "steps"):
        await expect(shown).not_to_contain_text(of_the_receipt)
    await expect(page.get_by_role("status")).to_have_text("0 upstream requests · 0 rounds · 0 ms · fresh")

    await page.get_by_role("button", name="Show Receipt").click()
    receipt = page.get_by_role("region", name="Receipt")
    rows = dict([row.split("\n") for row in await receipt.locator("dl > div").all_inner_texts()])
    cost = answer["extensions"]["cost"]
    assert rows["Units"] == f"{cost['actual']['units']:,}"
    assert rows["Units as predicted"] == f"{cost['predicted']['units']:,}"
    assert rows["Upstream requests"] == rows["Rounds"] == rows["Milliseconds"] == "0"
    assert rows["Records from memory"] == str(upstream["recordsFromMemory"]) != "0"
    assert rows["Data"] == "fresh"
    assert rows["Catalog"] == version


async def test_it_runs_the_canonical_query_and_shows_what_the_answer_cost(
    graphiql: Page, gateway: Served
) -> None:
    await check_query_and_receipt(graphiql, gateway)


async def test_its_tabs_are_the_examples(graphiql: Page) -> None:
    examples = CANONICAL.parent.glob("*.graphql")
    names = {re.findall(r"^query (\w+)", path.read_text(), re.MULTILINE)[0] for path in examples}
    tabs = await graphiql.locator(".graphiql-tab-button").all_inner_texts()
    assert tabs[0] == "Canonical"
    assert set(tabs) == names


async def test_it_shows_the_docs(graphiql: Page) -> None:
    await graphiql.get_by_role("button", name="Show Documentation Explorer").click()
    docs = graphiql.locator(".graphiql-doc-explorer")
    await docs.get_by_role("link", name="Query", exact=True).click()
    await docs.get_by_role("link", name="package", exact=True).click()
    await expect(docs).to_contain_text("databaseId")


async def test_it_completes_a_field(graphiql: Page) -> None:
    await write(graphiql, "{ packagesByPy")
    choice = graphiql.locator(".suggest-widget .monaco-list-row").filter(has_text="packagesByPypiName")
    # The language service may still be reading the schema; asked again, it knows.
    async with asyncio.timeout(30):
        while not await choice.is_visible():
            await graphiql.keyboard.press("Escape")
            await graphiql.keyboard.press("Control+Space")
            await graphiql.wait_for_timeout(200)
    await graphiql.keyboard.press("Enter")
    await expect(graphiql.locator(".graphiql-query-editor .view-lines")).to_contain_text("packagesByPypiName")


async def test_the_explorer_and_the_history_work(graphiql: Page) -> None:
    await run(graphiql)
    await graphiql.get_by_role("button", name="Show History").click()
    await expect(graphiql.locator(".graphiql-history-items")).to_contain_text("Canonical")
    await graphiql.get_by_role("button", name="Show GraphiQL Explorer").click()
    await expect(graphiql.locator(".graphiql-explorer-root")).to_contain_text("packagesByPypiName")


async def test_a_subscription_delivers(graphiql: Page, gateway: Served) -> None:
    since = json.dumps(gateway.cursor())
    event = "{ node { ... on Package { title } } }"
    await write(graphiql, f"subscription {{ catalogChanged(since: {since}) {event} }}")
    await graphiql.keyboard.press("Control+Enter")
    for title in ("first for GraphiQL", "second for GraphiQL"):
        gateway.upstream.catalog.update_package(1599, title=title)
        await asyncio.to_thread(gateway.crawl)
        await expect(graphiql.locator(".graphiql-response")).to_contain_text(title)
    await graphiql.keyboard.press("Escape")  # what the editor suggests may cover the button
    await graphiql.get_by_role("button", name="Stop query (Ctrl-Enter)").click()
    await asyncio.to_thread(gateway.wait_until_idle)


def unbuilt(nowhere: Path) -> GraphiQLPage:
    return GraphiQLPage(
        asked=Asked(CANONICAL.read_text()), answer=None, site=Site(False, False), built=nowhere
    )


async def test_without_a_build_the_same_comes_from_a_cdn_held_to_its_hashes(
    gateway: Served, tab: Tab, tmp_path: Path
) -> None:
    modules = npm_install(PACKAGES)

    async def unbuilt_page(route: Route) -> None:
        if route.request.method == "POST":
            await route.continue_()
            return
        page = unbuilt(tmp_path)
        html = page.html().replace("<!-- answer -->", answer_html(b'{"data":null}'))
        await route.fulfill(body=html, headers=page.headers())

    async def cdn(route: Route) -> None:
        address = ADDRESS.fullmatch(route.request.url)
        assert address
        package, version, path = address.groups()
        installed = json.loads((modules / package / "package.json").read_text())
        assert installed["version"] == version
        headers = {"Access-Control-Allow-Origin": "*"}
        await route.fulfill(path=modules / package / path, headers=headers)

    await tab.page.route(lambda address: address.startswith("https:"), cdn)
    await tab.page.route(gateway.graphql, unbuilt_page)
    await open_page(tab.page, gateway)
    await check_query_and_receipt(tab.page, gateway)
    assert len(tab.foreign_requests()) == 6
    assert tab.complaints == []
