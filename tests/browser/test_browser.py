import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.conftest import Tab
from tests.support.http_servers import serving

PAGE = '<title>a page</title><script src="https://example.com/x.js"></script><script>console.error("oh")</script>'


BROWSERS: list[Browser] = []
"""What the tests of this file were given."""


@pytest.fixture
def app() -> Starlette:
    return Starlette(routes=[Route("/", lambda _request: HTMLResponse(PAGE))])


async def test_a_page_is_shown_and_what_it_asks_of_others_is_seen_and_refused(
    tab: Tab, app: Starlette
) -> None:
    with serving(app) as address:
        await tab.page.goto(address)
        assert await tab.page.title() == "a page"
    assert tab.foreign_requests() == ["https://example.com/x.js"]
    assert "oh" in tab.complaints
    assert any("ERR_NAME_NOT_RESOLVED" in complaint for complaint in tab.complaints)


@pytest.mark.parametrize("tests", [1, 2])
async def test_the_browser_of_one_test_is_that_of_the_next(browser: Browser, tests: int) -> None:
    BROWSERS.append(browser)
    assert browser.is_connected()
    assert all(each is browser for each in BROWSERS)
