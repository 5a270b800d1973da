"""An address with a slash too few or too many leads to the one that is served, at whatever host the client asked."""

from __future__ import annotations

import httpx
import pytest

from tests.web.conftest import in_the_loop_of_the_file

pytestmark = in_the_loop_of_the_file


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/docs", "/docs/"),
        ("/explore?left=a%20b", "/explore/?left=a%20b"),
        ("/healthz/", "/healthz"),
        ("/schema.graphql/?dialect=plain", "/schema.graphql?dialect=plain"),
    ],
)
async def test_a_redirect_names_no_scheme_and_no_host(
    shared_http: httpx.AsyncClient, address: str, leads_to: str
) -> None:
    """Behind a proxy that speaks TLS, an absolute address led to a port that speaks none."""
    answer = await shared_http.get(address, headers={"Host": "internal:8000"})
    assert (answer.status_code, answer.headers["Location"]) == (307, leads_to)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "address", ["/nothing", "/nothing/", "//evil.example/docs", "//docs", "/docs//evil.example/"]
)
async def test_what_is_not_served_with_or_without_a_slash_leads_nowhere(
    shared_http: httpx.AsyncClient, address: str
) -> None:
    answer = await shared_http.get(f"http://gateway.test{address}")
    assert answer.status_code == 404
    assert "Location" not in answer.headers
