import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.conftest import Tab
from tests.support.http_servers import serving

PAGE = '<title>a page</title><script src="https://example.com/x.js"></script><script>console.error("oh")</script>'


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
