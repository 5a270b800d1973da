"""Tests the home page: a page for people, JSON for programs, and the documents that it leads to."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from gateway.prepared_request import GraphQLRequest
from tests.web.conftest import in_the_loop_of_the_file
from upstream.client.upstream_errors import UpstreamError
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault
from web.app import GatewayApp
from web.pages.browse_lists import grids_html, packages_html
from web.pages.graphiql import CANONICAL

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

by_both_executions = pytest.mark.parametrize("use_engine", [True, False], ids=["engine", "strawberry"])


@pytest.fixture
def use_engine() -> bool:
    """Use one execution only, where no test says that it takes both: it makes no difference to the page."""
    return True


async def page(http: httpx.AsyncClient, **headers: str) -> str:
    response = await http.get("/", headers=BROWSER | headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return response.text


async def words(http: httpx.AsyncClient) -> str:
    """Return what a reader of the page sees of its text."""
    body = (await page(http)).partition("</head>")[2]
    return " ".join(unescape(re.sub(r"<title>.*?</title>|<[^>]+>", " ", body)).split())


async def facts(http: httpx.AsyncClient, **headers: str) -> Any:
    response = await http.get("/", headers=headers)
    assert response.headers["Content-Type"] == "application/json"
    assert "Accept" in response.headers["Vary"]
    return response.json()


async def crawl(app: GatewayApp) -> None:
    await app.parts.gateway.source.crawl()


@in_the_loop_of_the_file
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/plain, */*"])
async def test_programs_get_json(shared_http: httpx.AsyncClient, accept: str) -> None:
    assert (await facts(shared_http, Accept=accept))["description"].startswith(
        "A GraphQL gateway over Django Packages"
    )


async def test_it_asks_nothing_of_upstream(http: httpx.AsyncClient, embedded: EmbeddedUpstream) -> None:
    await page(http)
    await facts(http)
    assert embedded.requests.total == 0


async def test_before_the_first_catalog_it_says_so(http: httpx.AsyncClient) -> None:
    shown = await words(http)
    assert "Answers live Django Packages" in shown
    assert "Browse" not in shown
    assert "There is no catalog yet." in shown
    assert "packages – grids – categories – age none yet Django Packages no request yet" in shown  # noqa: RUF001
    told = await facts(http)
    assert told["catalog"]["version"] is None
    assert told["upstream"] == {"state": "no request yet", "breaker": "closed"}


async def test_the_state_of_the_catalog_is_shown(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    await crawl(app)
    told = await facts(http)
    assert told["catalog"] == (await http.get("/readyz")).json()["catalog"] | {"source": "site"}
    assert told["upstream"] == {"state": "answers", "breaker": "closed"}
    shown = await words(http)
    assert "Answers from memory Django Packages" in shown
    assert f"packages {len(embedded.catalog.packages)} grids {len(embedded.catalog.grids)}" in shown
    version = told["catalog"]["version"]
    assert f"Version {version[:8]} , last confirmed" in shown
    assert f'title="{version}"' in await page(http)
    assert "Django Packages answers" in shown


async def test_an_upstream_that_fails_is_shown_with_its_reason(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    await crawl(app)
    embedded.faults.add(Fault(StatusFault(500)))
    with pytest.raises(UpstreamError) as failure:
        await crawl(app)
    assert (await facts(http))["upstream"] == {"state": "fails", "breaker": "closed"}
    shown = await words(http)
    assert f"The last refresh failed: {failure.value}" in shown
    assert "Answers from memory" in shown


async def test_an_upstream_that_is_left_alone_is_shown_as_that(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="3600")))
    await http.post("/graphql", json={"query": "{ categories { title } }"})
    assert (await facts(http))["upstream"] == {"state": "paused after failures", "breaker": "open"}
    assert "paused after failures" in await words(http)


@by_both_executions
async def test_answers_and_requests_are_told_in_numbers(http: httpx.AsyncClient, app: GatewayApp) -> None:
    assert "No requests yet." in await words(http)
    assert "No requests." in await words(http)
    await http.post("/graphql", json={"query": "{ package(databaseId: 1599) { title } }"})
    await crawl(app)
    for id in (1599, 683):
        await http.post("/graphql", json={"query": f"{{ package(databaseId: {id}) {{ title }} }}"})
    lately = (await facts(http))["lately"]
    assert (lately["hours"], lately["fromMemory"], lately["fromUpstream"]) == (1, 2, 1)
    assert lately["upstreamFailures"] == 0
    shown = await words(http)
    assert "The last hour Answers 3 in total, 66% of them from memory." in shown
    assert f"{lately['upstreamRequests']} requests, 0 failed; " in shown


async def test_the_page_is_well_formed_and_loads_files_of_its_own_host_alone(
    http: httpx.AsyncClient, app: GatewayApp
) -> None:
    await crawl(app)
    await http.post("/graphql", json={"query": "{ package(databaseId: 1599) { title } }"})
    html = await page(http)
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", html) == []
    loaded = re.findall(r'(?:src=|<link[^>]* href=)"([^"]+)"', html)
    assert all(re.match(r"/(pages/|favicon\.ico$)", address) for address in loaded)
    assert [(await http.get(address)).status_code for address in loaded] == [200] * len(loaded)
    unclosed = _Unclosed()
    unclosed.feed(html)
    assert unclosed.open == []
    for svg in re.findall(r"<svg.*?</svg>", html):
        ElementTree.fromstring(svg)


@in_the_loop_of_the_file
async def test_it_has_an_icon(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get("/favicon.ico")
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert ElementTree.fromstring(response.text).tag.endswith("svg")


@in_the_loop_of_the_file
async def test_its_policy_allows_files_of_this_gateway_and_nothing_in_line(
    shared_http: httpx.AsyncClient,
) -> None:
    response = await shared_http.get("/", headers=BROWSER)
    assert response.headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


@by_both_executions
async def test_the_form_has_the_canonical_query_and_sends_it_to_the_endpoint(
    http: httpx.AsyncClient,
) -> None:
    html = await page(http)
    assert '<form class="query-form" action="/graphql" method="get">' in html
    field = re.search(r'<textarea[^>]*name="query"[^>]*>(.*?)</textarea>', html, re.DOTALL)
    assert field
    # A browser takes no notice of a line end at the beginning.
    assert unescape(field[1]) == f"\n{CANONICAL.read_text()}"
    response = await http.get("/graphql", params={"query": unescape(field[1])}, headers=BROWSER)
    assert "django-cacheback" in response.text.partition('<div class="answer">')[2]


@by_both_executions
async def test_the_command_for_a_shell_is_one_that_works(http: httpx.AsyncClient) -> None:
    command = shlex.split((await facts(http))["try"])
    assert command[:3] == ["curl", "-s", "http://gateway.test/graphql"]
    header, body = command[command.index("-H") + 1], command[command.index("-d") + 1]
    name, _, value = header.partition(": ")
    answer = (await http.post("/graphql", content=body, headers={name: value})).json()
    assert answer["data"]["package"]["title"] == "django-celery-email"


@in_the_loop_of_the_file
@pytest.mark.parametrize("host", ['"><script>x</script>', "a';rm -rf .;'", "a b", "$(id)"])
async def test_a_host_that_is_none_gets_into_no_page_and_no_command(
    shared_http: httpx.AsyncClient, host: str
) -> None:
    assert "<script>" not in await page(shared_http, Host=host)
    command = shlex.split((await facts(shared_http, Host=host))["try"])
    assert len(command) == 7


@in_the_loop_of_the_file
async def test_it_leads_to_every_document(shared_http: httpx.AsyncClient) -> None:
    links = (await facts(shared_http))["links"]
    html = await page(shared_http)
    for path in sorted((Path(__file__).parents[3] / "docs").glob("*.md")):
        assert path.read_text().startswith(f"# {links[f'/docs/{path.name}']}\n")
        assert f'href="/docs/{path.name}"' in html


async def test_grids_and_packages_can_be_browsed(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    largest = max(embedded.catalog.grids.values(), key=lambda grid: len(grid.packages))
    newest = max(embedded.catalog.packages)
    embedded.catalog.update_package(newest, title="</a><script>x</script>")
    await crawl(app)
    html = await page(http)
    assert "<script>" not in html
    listed = re.findall(r'<li><a href="([^"]+)">([^<]+)</a> <span>([^<]+)</span></li>', html)
    assert len(listed) == 16
    assert (unescape(listed[0][1]), listed[0][2]) == (largest.title, f"{len(largest.packages)} packages")
    assert unescape(listed[8][1]) == "</a><script>x</script>"
    assert f"All {len(embedded.catalog.grids)} grids" in html


@pytest.mark.usefixtures("http")
async def test_before_the_app_is_built_what_is_browsed_opens_in_graphiql(app: GatewayApp) -> None:
    await crawl(app)
    snapshot = app.parts.source.latest
    assert snapshot is not None
    lists = grids_html(snapshot.catalog, app_is_built=False) + packages_html(
        snapshot.catalog, app_is_built=False
    )
    for address in re.findall(r'href="(/graphql[^"]+)"', lists):
        query = parse_qs(urlsplit(unescape(address)).query)
        request = GraphQLRequest(query["query"][0], json.loads(query["variables"][0]))
        answer = (await app.parts.gateway.execute(request)).decoded()
        assert "errors" not in answer
        assert all(answer["data"].values())
    built = grids_html(snapshot.catalog, app_is_built=True)
    assert re.findall(r'href="([^"]+)"', built)[0].startswith("/explore/grids/")


@in_the_loop_of_the_file
async def test_other_methods_are_refused(shared_http: httpx.AsyncClient) -> None:
    answer = await shared_http.post("/")
    assert answer.status_code == 405
    assert answer.json()["errors"][0]["message"] == "POST is not allowed here; use GET or HEAD."


class _Unclosed(HTMLParser):
    """Finds elements that are closed in the wrong order, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
