"""Tests a query that is shared by its address: in GraphiQL, and in the form before it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tab
from tests.support.graphiql_pages import open_page, write
from tests.support.streaming_gateway import Served
from web.pages.graphiql import link_to

QUERY = "query One { stats { gridCount } }\nquery Title($id: Int) { package(databaseId: $id) { title } }"


def shared(page: Page) -> dict[str, str]:
    """Return what the address of the page shares. A form without script has sent its line ends as CR LF."""
    pairs = parse_qs(urlsplit(page.url).query).items()
    return {name: values[0].replace("\r\n", "\n") for name, values in pairs}


async def copied(page: Page) -> str:
    """Press the button that copies the link, and return what it has copied."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy link")
    await button.click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    text = await page.evaluate("navigator.clipboard.readText()")
    assert isinstance(text, str)
    return text


@pytest.mark.usefixtures("built_graphiql")
async def test_graphiql_opens_with_the_query_of_the_address_and_keeps_the_address_in_step(
    gateway: Served, tab: Tab
) -> None:
    page = tab.page
    query = "query Title($id: Int) { package(databaseId: $id) { title } }"
    address = f"?{link_to(query, id=683).partition('?')[2]}"
    await open_page(page, gateway, address, "query Title")
    await expect(page.locator(".graphiql-response")).to_contain_text("django-queued-storage")
    assert shared(page) == {"query": query, "variables": '{"id":683}'}

    await write(page, "query { package(databaseId: 1442) { title } }")
    await page.wait_for_url(lambda url: "1442" in url)
    link = await copied(page)
    assert link == page.url
    assert shared(page)["query"] == "query { package(databaseId: 1442) { title } }"
    # Whoever opens it in a program has the answer.
    await page.goto("about:blank")
    await open_page(page, gateway, f"?{urlsplit(link).query}", "1442")
    await expect(page.locator(".graphiql-response")).to_contain_text("django-cacheback")
    assert tab.complaints == []


@pytest.mark.usefixtures("built_graphiql")
async def test_who_opens_graphiql_without_a_query_has_a_plain_address_until_something_is_edited(
    gateway: Served, tab: Tab
) -> None:
    await open_page(tab.page, gateway)
    assert tab.page.url == gateway.graphql
    await tab.page.get_by_role("tab", name="Statistics").click()
    await tab.page.wait_for_url("**/graphql?query=*")
    assert "query Statistics" in shared(tab.page)["query"]


async def test_without_script_the_form_shows_the_answer_and_the_examples(gateway: Served, tab: Tab) -> None:
    browser = tab.page.context.browser
    assert browser
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(gateway.graphql)
        answer = page.locator(".answer code")
        await expect(answer).to_contain_text('"slug"')
        await page.get_by_role("link", name="stats").click()
        await expect(answer).to_contain_text('"packageCount": 20')
        await page.get_by_label("Query", exact=True).fill(QUERY)
        await page.get_by_text("Variables and operation name").click()
        await page.get_by_label("Variables, a JSON object").fill('{"id": 683}')
        await page.get_by_label("Operation name, where the query has several").fill("Title")
        await page.get_by_role("button", name="Run it").click()
        await expect(answer).to_contain_text("django-queued-storage")
        assert shared(page) == {"query": QUERY, "variables": '{"id": 683}', "operationName": "Title"}


async def test_before_graphiql_has_come_the_form_runs_in_the_page(gateway: Served, tab: Tab) -> None:
    page = tab.page
    await page.route("**/graphiql/**", lambda route: route.abort())
    await page.goto(gateway.graphql)
    await expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    await page.get_by_label("Query", exact=True).fill(QUERY)
    await page.wait_for_url("**/graphql?query=*")
    assert shared(page) == {"query": QUERY}
    await page.get_by_text("Variables and operation name").click()
    await page.get_by_label("Variables, a JSON object").fill('{"id": 683}')
    await page.get_by_label("Operation name, where the query has several").fill("Title")
    await page.keyboard.press("Control+Enter")
    status = page.get_by_role("status")
    await expect(status).to_contain_text("Answered in")
    text = await page.locator(".answer code").inner_text()
    assert json.loads(text) == {"data": {"package": {"title": "django-queued-storage"}}}
    assert await copied(page) == page.url
    assert shared(page) == {"query": QUERY, "variables": '{"id": 683}', "operationName": "Title"}

    await page.get_by_label("Variables, a JSON object").fill("{")
    await page.get_by_role("button", name="Run it").click()
    await expect(status).to_contain_text("The variables are not JSON")
    await page.context.set_offline(True)
    await page.get_by_label("Variables, a JSON object").fill("")
    await page.get_by_role("button", name="Run it").click()
    await expect(status).to_contain_text("The gateway cannot be reached; perhaps you are offline.")


async def test_a_query_too_long_for_an_address_says_so(gateway: Served, tab: Tab) -> None:
    page = tab.page
    await page.route("**/graphiql/**", lambda route: route.abort())
    await page.goto(gateway.graphql)
    await page.get_by_label("Query", exact=True).fill("{ stats { gridCount } }" + " " * 40_000)
    assert page.url == gateway.graphql
    await page.get_by_role("button", name="Copy link").click()
    await expect(page.get_by_role("button", name="Too long for a link")).to_be_visible()
    await page.get_by_role("button", name="Run it").click()
    await expect(page.locator(".answer code")).to_contain_text('"gridCount"')


@pytest.mark.usefixtures("built_graphiql")
async def test_of_several_operations_graphiql_runs_the_one_that_was_shared(gateway: Served, tab: Tab) -> None:
    page = tab.page
    address = f"?{link_to(QUERY, id=683).partition('?')[2]}&operationName=Title"
    await open_page(page, gateway, address, "query Title")
    await expect(page.locator(".graphiql-response")).to_contain_text("django-queued-storage")
    assert shared(page)["operationName"] == "Title"
    await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()
    await page.get_by_role("menuitem", name="One").click()
    await expect(page.locator(".graphiql-response")).to_contain_text("gridCount")
    await page.wait_for_url("**operationName=One")
    assert tab.complaints == []
