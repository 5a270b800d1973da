"""Tests assistants over HTTP: the SDK's own client against a running gateway, and requests that no assistant may
send."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.streaming_gateway import Served, served

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
HEADERS = {"Accept": "application/json, text/event-stream"}

CALLS: list[tuple[str, dict[str, object]]] = [
    ("find_packages", {"words": "email", "min_stars": "1", "order": "last_commit"}),
    ("compare_grid", {"grid": "email"}),
    ("package", {"slug": "django-celery-email"}),
    ("what_changed", {}),
    ("describe_schema", {"type": "Amount"}),
    ("run_query", {"query": "{ stats { packageCount } }"}),
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


@contextmanager
def no_upstream_requests(gateway: Served) -> Iterator[None]:
    before = gateway.upstream.requests.total
    yield
    assert gateway.upstream.requests.total == before


def client_of(gateway: Served, **options: Any) -> Client:
    """Return a client of the SDK, whose import takes long, so that only these tests wait for it."""
    from mcp import Client

    return Client(f"{gateway.address}/mcp", **options)


async def call(gateway: Served, name: str, arguments: dict[str, Any]) -> CallToolResult:
    from mcp_types import CallToolResult

    async with client_of(gateway) as client:
        result = await client.call_tool(name, arguments)
    assert isinstance(result, CallToolResult)
    return result


def text_of(result: CallToolResult) -> str:
    from mcp_types import TextContent

    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def answer(gateway: Served, name: str, **arguments: Any) -> dict[str, Any]:
    result = await call(gateway, name, arguments)
    assert not result.is_error, text_of(result)
    content: dict[str, Any] = result.structured_content
    assert content == json.loads(text_of(result))
    return content


async def sentence(gateway: Served, name: str, **arguments: Any) -> str:
    with no_upstream_requests(gateway):
        result = await call(gateway, name, arguments)
    assert result.is_error
    return text_of(result)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_assistant_lists_the_tools_by_either_protocol(gateway: Served, mode: Any) -> None:
    async with client_of(gateway, mode=mode) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == [
        "find_packages",
        "compare_grid",
        "package",
        "what_changed",
        "describe_schema",
        "run_query",
    ]
    for tool in tools:
        assert tool.description
        assert tool.output_schema
        assert tool.annotations
        assert tool.annotations.read_only_hint


@pytest.mark.parametrize(("name", "arguments"), CALLS)
async def test_a_tool_costs_upstream_no_request(
    gateway: Served, name: str, arguments: dict[str, Any]
) -> None:
    # The client checks the answer against the schema of the tool.
    with no_upstream_requests(gateway):
        assert await answer(gateway, name, **arguments)


@pytest.mark.parametrize(("name", "arguments"), CALLS[:4])
async def test_an_answer_says_how_old_it_is(gateway: Served, name: str, arguments: dict[str, Any]) -> None:
    catalog = (await answer(gateway, name, **arguments))["catalog"]
    assert catalog["refreshedAt"] == gateway.ask("{ catalog { refreshedAt } }")["catalog"]["refreshedAt"]
    assert catalog["stale"] is False


async def test_packages_are_found_by_all_their_words_and_filters(gateway: Served) -> None:
    expected = gateway.ask(
        """{ packages(filter: {and: [{text: "celery"}, {text: "email"}], inAnyGrid: ["email"]}, first: 50) {
        totalCount nodes { slug } } }"""
    )
    found = await answer(gateway, "find_packages", words=" Celery  EMAIL", grid="email", first=50)
    assert found["packages"]["totalCount"] == expected["packages"]["totalCount"] > 0
    assert {each["slug"] for each in found["packages"]["nodes"]} == {
        each["slug"] for each in expected["packages"]["nodes"]
    }


async def test_grids_are_found_by_the_words_alone(gateway: Served) -> None:
    by_word = await answer(gateway, "find_packages", words="email")
    assert "email" in {grid["slug"] for grid in by_word["grids"]["nodes"]}
    assert (await answer(gateway, "find_packages", grid="email"))["grids"]["nodes"] == []


async def test_a_list_goes_on_after_its_cursor(gateway: Served) -> None:
    first = (await answer(gateway, "find_packages", first=3))["packages"]
    second = await answer(gateway, "find_packages", first=3, after=first["pageInfo"]["endCursor"])
    both = await answer(gateway, "find_packages", first=6)
    assert [*first["nodes"], *second["packages"]["nodes"]] == both["packages"]["nodes"]


async def test_changes_since_the_beginning_of_history_are_whole(gateway: Served) -> None:
    since = gateway.ask("{ catalog { historySince } }")["catalog"]["historySince"]
    changed = await answer(gateway, "what_changed", since=since)
    assert changed.keys() == {"added", "removed", "gainedStars", "catalog"}
    assert changed["gainedStars"] == []


async def test_a_moment_before_history_is_a_problem_beside_the_rest(gateway: Served) -> None:
    changed = await answer(gateway, "what_changed", since="2001-01-01")
    assert changed["gainedStars"] is None
    assert changed["added"]["totalCount"] > 0
    assert len(changed["problems"]) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("package", {"slug": "django-nothing"}, 'no package with the slug "django-nothing"'),
        ("package", {}, "slug (required): The slug of the package"),
        ("compare_grid", {"grid": "nothing"}, "Slugs are those that find_packages returns in grids."),
        ("find_packages", {"category": "nothing"}, "apps, frameworks"),
        ("find_packages", {"grid": "nothing"}, 'no grid with the slug "nothing"'),
        ("find_packages", {"first": 51}, "first (optional): How many to return, 1 to 50"),
        ("find_packages", {"order": "beauty"}, "commits, last_commit, newest, stars, title."),
        ("find_packages", {"colour": "red"}, "colour"),
        ("find_packages", {"words": "a b c d e f g h i j k"}, "at most 10"),
        ("what_changed", {"since": "yesterday"}, 'send a date such as "2026-01-31"'),
        ("describe_schema", {"type": "Nothing"}, "Send one of"),
        ("no_such_tool", {}, "Call one of find_packages, compare_grid"),
    ],
)
async def test_a_wrong_argument_is_a_sentence_that_says_what_to_send(
    gateway: Served, name: str, arguments: dict[str, Any], said: str
) -> None:
    assert said in await sentence(gateway, name, **arguments)


async def test_a_wrong_query_is_answered_with_its_errors(gateway: Served) -> None:
    errors = (await answer(gateway, "run_query", query="{ packages { nodes { price } } }"))["errors"]
    assert "price" in errors[0]["message"]


async def test_a_query_has_the_limits_of_the_gateway(gateway: Served) -> None:
    query = "{ packages { nodes { " + "title " * 2_000 + "} } }"
    (error,) = (await answer(gateway, "run_query", query=query))["errors"]
    assert error["extensions"]["code"]


async def test_a_gateway_of_trusted_documents_has_no_tool_for_queries(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    modes: dict[str, Any] = {"trusted_documents_mode": "only", "trusted_documents": str(manifest)}
    with served(tmp_path / "catalog.sqlite", **modes) as gateway:
        assert "There is no tool" in await sentence(gateway, "run_query", query="{ categories { slug } }")
        assert "package" in await answer(gateway, "package", slug="django-celery-email")


async def test_without_a_catalog_a_tool_says_so_and_asks_nobody(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", crawled=False) as gateway:
        assert "still reading" in await sentence(gateway, "package", slug="django-celery-email")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:6274"}, 200),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "example.org"}, 421),
        ({"Host": "127.0.0.1.example.org"}, 421),
    ],
)
def test_only_this_machine_may_ask(gateway: Served, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{gateway.address}/mcp", json=INITIALIZE, headers=HEADERS | headers, timeout=60)
    assert answer.status_code == status, answer.text


def test_a_named_host_may_be_asked_too(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", mcp_hosts="packages.example.org", mcp="on") as gateway:
        for host, status in [("packages.example.org", 200), ("example.org", 421)]:
            answer = httpx.post(
                f"{gateway.address}/mcp", json=INITIALIZE, headers=HEADERS | {"Host": host}, timeout=60
            )
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_are_no_sessions_and_streams(gateway: Served, method: str) -> None:
    answer = httpx.request(method, f"{gateway.address}/mcp", headers=HEADERS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_request_that_is_too_large_is_refused(gateway: Served) -> None:
    answer = httpx.post(f"{gateway.address}/mcp", content=b" " * 100_001, headers=HEADERS, timeout=60)
    assert answer.status_code == 413


def test_a_body_that_no_request_has_is_refused_before_the_sdk_reads_it(gateway: Served) -> None:
    answer = httpx.post(f"{gateway.address}/mcp", content=b" " * 1_000_001, headers=HEADERS, timeout=60)
    assert answer.status_code == 413
    assert "bytes" in answer.json()["errors"][0]["message"]


def test_a_client_that_leaves_within_its_body_leaves_nothing_behind(
    gateway: Served, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(gateway.address)
    head = f"POST /mcp HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"{head}Content-Length: 50\r\n\r\n{{".encode())
        # This waits for another answer, so that the gateway has begun to read.
        httpx.get(f"{gateway.address}/healthz", timeout=60)
    gateway.wait_until_idle()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_nothing_is_left_of_a_request(gateway: Served) -> None:
    for _ in range(3):
        httpx.post(f"{gateway.address}/mcp", json=INITIALIZE, headers=HEADERS, timeout=60)
    gateway.wait_until_idle()


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"mcp": "off"}, 404),
        ({"host": "0.0.0.0"}, 404),
        ({"host": "0.0.0.0", "mcp": "on"}, 200),
    ],
)
def test_it_is_served_where_the_setting_says(tmp_path: Path, settings: dict[str, Any], status: int) -> None:
    with served(tmp_path / "catalog.sqlite", **settings) as gateway:
        answer = httpx.post(f"{gateway.address}/mcp", json=INITIALIZE, headers=HEADERS, timeout=60)
        assert answer.status_code == status
