"""Tests pages at 50 kB a second, counted in bytes: what has to come before something is seen and can be used."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.browser.conftest import Tab
from tests.support.explore_pages import SHOTS

BYTES_A_SECOND = 50_000
PICTURES = SHOTS.parent / "pages"

BEFORE_SEEN = {"/": 50_000, "/docs/http.md": 50_000, "/graphql": 50_000, "/explore/": 50_000}
"""The most bytes of each page that come before it is whole but for what takes its place: under three seconds."""

GRAPHIQL = 1_250_000
"""The most bytes of GraphiQL and all that it loads. They were 1,640,000."""


@pytest.fixture(scope="module", autouse=True)
def _built(built_explore: None, built_graphiql: None) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)


async def network(page: Page) -> tuple[CDPSession, dict[str, int]]:
    """Return what steers the network of a page, and the bytes that have come by it, for each path."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    paths: dict[str, str] = {}
    came: dict[str, int] = {}
    session.on(
        "Network.requestWillBeSent", lambda event: paths.update({event["requestId"]: event["request"]["url"]})
    )

    def finished(event: dict[str, object]) -> None:
        path = urlsplit(paths.get(str(event["requestId"]), "")).path
        length = event["encodedDataLength"]
        assert isinstance(length, (int, float))
        came[path] = came.get(path, 0) + int(length)

    session.on("Network.loadingFinished", finished)
    return session, came


async def slow(session: CDPSession) -> None:
    conditions = {
        "offline": False,
        "latency": 100,
        "downloadThroughput": BYTES_A_SECOND,
        "uploadThroughput": BYTES_A_SECOND,
    }
    await session.send("Network.emulateNetworkConditions", conditions)


@pytest.mark.parametrize("path", BEFORE_SEEN)
async def test_a_page_is_seen_after_a_few_bytes(demo: str, tab: Tab, path: str) -> None:
    """Keep back what takes the place of what is there first, and count the rest."""
    page = tab.page
    await page.route("**/graphiql/**", lambda route: route.abort())
    await page.route("**/explore/assets/*.js", lambda route: route.abort())
    _, came = await network(page)
    await page.goto(demo + path, wait_until="networkidle")
    assert sum(came.values()) <= BEFORE_SEEN[path], came
    assert all(length < 60_000 for length in came.values()), came


async def test_graphiql_loads_a_quarter_less_than_it_did(demo: str, tab: Tab) -> None:
    _, came = await network(tab.page)
    await tab.page.goto(f"{demo}/graphql", wait_until="networkidle")
    await expect(tab.page.locator(".graphiql-response")).to_contain_text('"data"')
    assert sum(came.values()) <= GRAPHIQL, came


@pytest.mark.parametrize(("path", "seen"), [("/graphql", ".answer code"), ("/explore/", ".skeleton.cards")])
async def test_on_a_slow_network_there_is_no_white_page(demo: str, tab: Tab, path: str, seen: str) -> None:
    session, _ = await network(tab.page)
    await slow(session)
    await tab.page.goto(demo + path, wait_until="commit")
    await expect(tab.page.locator(seen)).to_be_visible()
    painted = await tab.page.evaluate(
        """() => new Promise((done) =>
            new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
                .observe({ type: "paint", buffered: true }))"""
    )
    await tab.page.screenshot(path=PICTURES / f"slow-{path.strip('/')}.png")
    # A page that was white until all has come took 35 seconds.
    assert painted < 10_000
