"""Tests an address with a query: a browser gets the page with the query and its answer in it, a program the answer
alone."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape

import httpx
import pytest

from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp
from web.pages.graphiql import CANONICAL, GraphiQLPage
from web.pages.page_frame import Site
from web.pages.query_form import MAX_SHOWN, Asked
from web.pages.readable_json import readable
from web.pages.syntax_colours import coloured

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
QUERY = "query One { package(databaseId: 1599) { title } }\nquery Two($id: Int) { package(databaseId: $id) { slug } }"


async def page(http: httpx.AsyncClient, address: str = "/graphql", **params: str) -> str:
    response = await http.get(address, params=params, headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return response.text


def field(html: str, name: str) -> str:
    """Return what is in a field of the form, as a browser reads it."""
    found = re.search(rf'<textarea[^>]* name="{name}"[^>]*>\n(.*?)</textarea>', html, re.DOTALL)
    assert found
    return unescape(found[1])


def answer(html: str) -> str:
    found = re.search(r"<pre[^>]*><code>(.*?)</code>", html, re.DOTALL)
    assert found
    return unescape(re.sub(r"<[^>]+>", "", found[1]))


@in_the_loop_of_the_file
async def test_the_page_has_the_query_its_variables_and_its_answer(live_http: httpx.AsyncClient) -> None:
    html = await page(live_http, query=QUERY, variables='{"id": 683}', operationName="Two")
    assert (field(html, "query"), field(html, "variables")) == (QUERY, '{"id": 683}')
    assert 'name="operationName" value="Two"' in html
    assert json.loads(answer(html)) == {"data": {"package": {"slug": "django-queued-storage"}}}


@in_the_loop_of_the_file
async def test_a_program_gets_the_answer_under_the_same_address(live_http: httpx.AsyncClient) -> None:
    params = {"query": "{ package(databaseId: 1599) { title } }"}
    for accept in (
        "*/*",
        "application/json",
        "application/json, text/html",
        "application/graphql-response+json",
    ):
        response = await live_http.get("/graphql", params=params, headers={"Accept": accept})
        assert response.json() == {"data": {"package": {"title": "django-celery-email"}}}
        assert "Accept" in response.headers["Vary"]


@in_the_loop_of_the_file
async def test_the_endpoint_answers_with_a_slash_behind_it_too(live_http: httpx.AsyncClient) -> None:
    query = {"query": "{ package(databaseId: 1599) { title } }"}
    expected = (await live_http.post("/graphql", json=query)).json()
    assert (await live_http.post("/graphql/", json=query)).json() == expected
    assert (await live_http.get("/graphql/", params=query)).json() == expected
    assert (await live_http.put("/graphql/")).status_code == 405
    assert "package(databaseId: 1599)" in field(await page(live_http, "/graphql/", **query), "query")


async def test_without_a_query_the_canonical_one_is_there_with_its_answer(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    html = await page(http)
    assert field(html, "query") == CANONICAL.read_text()
    # It is the answer of a catalog: there is none yet, and nobody has asked for anything.
    assert answer(html) == ""
    assert embedded.requests.total == 0
    await app.parts.source.crawl()
    assert json.loads(answer(await page(http)))["data"]["package"]["slug"]


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"query": "{ nothing }"}, "Cannot query field 'nothing'"),
        ({"query": "{"}, "Syntax Error"),
        ({"query": "{ categories { title } }", "variables": "{"}, "variables in the address is not JSON."),
        ({"query": QUERY}, "operation"),
    ],
)
async def test_what_is_wrong_with_a_query_is_in_its_answer(
    live_http: httpx.AsyncClient, params: dict[str, str], message: str
) -> None:
    html = await page(live_http, **params)
    assert message in json.loads(answer(html))["errors"][0]["message"]
    assert field(html, "query") == params["query"]


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    "text", ["</textarea><script>x</script>", "<!-- answer -->", '"><img src=x onerror=x>']
)
async def test_nothing_that_came_in_the_address_becomes_html(live_http: httpx.AsyncClient, text: str) -> None:
    html = await page(live_http, query=text, variables=text, operationName=text)
    assert text not in html.replace("<!doctype html>", "")
    assert (field(html, "query"), field(html, "variables")) == (text, text)


async def test_nothing_of_the_catalog_becomes_html(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    title = "</code><script>alert(1)</script>"
    embedded.catalog.update_package(1599, title=title)
    html = await page(http, query="{ package(databaseId: 1599) { title } }")
    assert "<script>" not in html
    assert json.loads(answer(html))["data"]["package"]["title"] == title


@in_the_loop_of_the_file
async def test_a_document_known_by_its_id_is_answered_and_not_shown(live_http: httpx.AsyncClient) -> None:
    response = await live_http.get("/graphql", params={"documentId": "sha256:0"}, headers=BROWSER)
    assert response.headers["Content-Type"].startswith("application/json")


@in_the_loop_of_the_file
async def test_head_gets_the_headers_alone(live_http: httpx.AsyncClient) -> None:
    response = await live_http.head("/graphql", headers=BROWSER)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


async def sent(graphiql: GraphiQLPage, messages: list[bytes]) -> None:
    """Let it send its page, each piece of the body into ``messages``."""

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        messages.append(message.get("body", b""))

    await graphiql({"type": "http", "method": "GET", "headers": []}, receive, send)


@in_the_loop_of_the_file
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_page_is_the_same_compressed_or_not(live_http: httpx.AsyncClient, encoding: str) -> None:
    response = await live_http.get("/graphql", headers=BROWSER | {"Accept-Encoding": encoding})
    assert response.headers.get("Content-Encoding", "identity") == encoding
    assert "Accept-Encoding" in response.headers["Vary"]
    assert field(response.text, "query") == CANONICAL.read_text()
    assert response.text.endswith("</html>\n")


async def test_the_page_does_not_wait_for_its_answer() -> None:
    pieces: list[bytes] = []

    async def late() -> bytes:
        assert b"<textarea" in pieces[1]
        assert b"</html>" not in pieces[1]
        return b'{"data":{"late":true}}'

    await sent(GraphiQLPage(asked=Asked("{ late }"), answer=late, site=Site(False, False)), pieces)
    assert b"late" in pieces[2]
    assert pieces[2].endswith(b"</html>\n")


async def test_an_answer_too_long_for_a_page_is_not_put_into_it() -> None:
    pieces: list[bytes] = []

    async def long() -> bytes:
        return b'{"data":"%b"}' % (b"x" * MAX_SHOWN)

    await sent(GraphiQLPage(asked=Asked("{ long }"), answer=long, site=Site(False, False)), pieces)
    assert b"xxx" not in pieces[2]
    assert b"The answer has 20,011 bytes. Run the query to see it." in pieces[2]


def test_the_colours_leave_the_code_as_it_is() -> None:
    for code in (
        CANONICAL.read_text(),
        '{"a": [1, -2.5e3, "b\\"c", null]}',
        '"""open',
        "'",
        '"\\"' * 9,
        "a  : b",
    ):
        assert unescape(re.sub(r"</?span[^>]*>", "", coloured(code))) == code
    assert coloured('{"a": 1}') == (
        '{<span class="code-name">&quot;a&quot;</span>: <span class="code-number">1</span>}'
    )


def test_lists_of_plain_values_stay_on_one_line() -> None:
    value = {"a": [1, 2, None], "b": [{"c": "d, e"}], "f": [], "g": {}}
    assert (
        readable(value)
        == '{\n  "a": [1, 2, null],\n  "b": [\n    {"c": "d, e"}\n  ],\n  "f": [],\n  "g": {}\n}'
    )
    assert json.loads(readable(value)) == value
