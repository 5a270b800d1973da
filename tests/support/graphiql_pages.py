"""Provides GraphiQL as it is opened and written into by the tests of a browser."""

from __future__ import annotations

from playwright.async_api import Page, Response, expect

from tests.support.streaming_gateway import Served


async def open_page(page: Page, gateway: Served, query: str = "", text: str = "query Canonical") -> None:
    """Open GraphiQL and wait until it has taken the place of the form, and has shown the answer of that."""
    async with page.expect_response(lambda response: asks(response, "IntrospectionQuery")):
        await page.goto(gateway.graphql + query)
    await expect(page.locator(".graphiql-query-editor")).to_contain_text(text)
    await expect(page.locator(".graphiql-response")).to_contain_text('"data"')


def asks(response: Response, operation: str) -> bool:
    """Return whether it answers this operation."""
    return f'"operationName":"{operation}"' in (response.request.post_data or "")


async def write(page: Page, query: str) -> None:
    """Put a query without a name in place of what the editor has, and wait until GraphiQL has read it."""
    await page.locator(".graphiql-query-editor .view-lines").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(query)
    await expect(page.locator(".graphiql-tab-button").first).to_have_text("<untitled>")
