"""Tests the command line, run as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from schema import sdl
from schema.sdl_dialects import DIALECTS, Dialect
from tests.support.command_line import server
from tests.support.forked_programs import ForkedProgram, run_forked
from tests.support.http_servers import free_port
from tests.support.processes import running_forked


def test_query_prints_the_answer_as_json() -> None:
    done = server(
        "query", "query($id: Int) { package(databaseId: $id) { slug } }", "--variables", '{"id": 1599}'
    )
    assert json.loads(done.stdout) == {"data": {"package": {"slug": "django-celery-email"}}}
    assert (done.returncode, done.stderr) == (0, "")


def test_query_shows_the_receipt_when_asked() -> None:
    done = server("query", "{ categories { title } }", "--receipt")
    assert json.loads(done.stdout)["extensions"]["upstream"]["requests"] == 1


def test_query_ends_with_1_when_there_are_errors() -> None:
    done = server("query", "{ nothing }")
    assert json.loads(done.stdout)["errors"][0]["message"] == "Cannot query field 'nothing' on type 'Query'."
    assert done.returncode == 1


@pytest.mark.parametrize("text", ["[]", "[" * 50_000])
def test_query_refuses_variables_that_are_no_object(text: str) -> None:
    done = server("query", "{ __typename }", "--variables", text)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"--variables is {text}; it must be a JSON object.\n"


def test_query_against_an_upstream_that_is_not_there_says_so() -> None:
    done = server(
        "query", "{ categories { title } }", "--upstream", f"http://127.0.0.1:{free_port()}/api/v4/"
    )
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"] == "Upstream could not be reached for /categories/."
    assert done.returncode == 1


def test_plan_prints_the_plan_and_the_generated_source() -> None:
    done = server("plan", "{ categories { slug } }")
    assert done.stdout.splitlines()[:2] == [
        "Query with categories",
        "  categories: resolver categories, to [Category!]",
    ]
    assert "| def build_Query(parents" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
        (
            "{ __schema { queryType { name } } }",
            "The engine leaves this operation to Strawberry's execution: introspection.",
        ),
    ],
)
def test_plan_says_why_there_is_none(document: str, sentence: str) -> None:
    done = server("plan", document)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{sentence}\n")


def test_the_engine_can_be_turned_off() -> None:
    for value, used in (("on", True), ("off", False)):
        done = server("query", "{ categories { title } }", "--receipt", GATEWAY_ENGINE=value)
        assert json.loads(done.stdout)["extensions"]["engine"] == {"used": used, "handedOver": None}


def test_schema_prints_the_sdl() -> None:
    done = server("schema")
    assert done.stdout == sdl("plain") + "\n"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_schema_prints_each_dialect(dialect: Dialect) -> None:
    assert server("schema", "--dialect", dialect).stdout == sdl(dialect) + "\n"


def test_schema_in_an_unknown_dialect_is_a_sentence() -> None:
    done = server("schema", "--dialect", "klingon")
    sentence = 'There is no dialect "klingon"; it can be plain, federation, composite, stitching or semantic-non-null.'
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")


@pytest.mark.parametrize("command", ["serve", "query"])
def test_a_wrong_setting_stops_the_start_with_one_sentence(command: str) -> None:
    arguments = [command] if command == "serve" else [command, "{ __typename }"]
    done = server(*arguments, GATEWAY_UPSTREAM="ftp://x/")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'GATEWAY_UPSTREAM is "ftp://x/"; it can be an http or https URL, or `embedded`.\n'


def test_a_wrong_setting_stops_any_asgi_server_with_the_same_sentence() -> None:
    done = run_forked(["-m", "uvicorn", "server:app"], os.environ | {"GATEWAY_PORT": "none"})
    assert done.stderr == 'GATEWAY_PORT is "none"; it can be 0 to 65535.\n'
    assert done.returncode == 1


def test_serve_and_upstream_work_together_over_http() -> None:
    """Two processes and real sockets: the embedded v4 API as a server, and the gateway over it."""
    upstream_port, port = free_port(), free_port()
    upstream = ["upstream", "--port", str(upstream_port), "--packages", "50", "--latency", "2"]
    address = f"http://127.0.0.1:{upstream_port}/api/v4/"
    serve = ["serve", "--port", str(port), "--upstream", address, "--workers", "2"]
    with (
        running_forked(["server.py", *upstream], f"{address}categories/"),
        running_forked(["server.py", *serve], f"http://127.0.0.1:{port}/healthz", GATEWAY_CRAWL="off"),
    ):
        answer = httpx.post(
            f"http://127.0.0.1:{port}/graphql",
            json={"query": '{ package(slug: "django-celery-email") { databaseId grids { slug } } }'},
            headers={"X-Gateway-Receipt": "1"},
            timeout=60,
        ).json()
    assert answer["data"] == {"package": {"databaseId": 1599, "grids": [{"slug": "email"}]}}
    assert answer["extensions"]["upstream"]["rounds"] == 2


@pytest.mark.parametrize("command", ["serve", "upstream"])
def test_a_port_that_is_taken_is_a_sentence(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = server(command, "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"127.0.0.1:{port} cannot be listened on: Address already in use.\n"


def test_a_free_port_is_named_by_the_greeting() -> None:
    environment = os.environ | {"GATEWAY_STORAGE": ":memory:"}
    process = ForkedProgram(["server.py", "serve", "--port", "0"], environment)
    try:
        assert process.stdout is not None
        address = next(line.split()[-1] for line in process.stdout if "home page" in line)
        with httpx.Client(transport=httpx.HTTPTransport(retries=6), timeout=60) as client:
            assert client.get(f"{address}healthz").status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Only Linux has a file that is always full.")
def test_a_disk_that_is_full_does_not_keep_the_gateway_from_serving() -> None:
    port = free_port()
    environment = {**os.environ, "GATEWAY_STORAGE": ":memory:", "GATEWAY_CRAWL": "off"}
    with open("/dev/full", "w") as full:
        process = ForkedProgram(["server.py", "serve", "--port", str(port)], environment, full, full)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            with suppress(httpx.TransportError):
                assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60).status_code == 200
                break
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_the_greeting_shows_nothing_that_trusted_documents_forbid(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"a": "{ __typename }"}')
    address = f"http://127.0.0.1:{free_port()}"
    only = {"GATEWAY_TRUSTED_DOCUMENTS": str(manifest), "GATEWAY_TRUSTED_DOCUMENTS_MODE": "only"}
    serve = ["server.py", "serve", "--port", address.rpartition(":")[2]]
    with running_forked(serve, f"{address}/healthz", **only) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == [
            "GraphQL over embedded\n",
            f"  the home page            {address}/\n",
            f"  trusted documents only   {address}/graphql\n",
        ]


def test_check_manifest_says_that_all_documents_fit(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"a": "{ __typename }", "b": "{ categories { title } }"}')
    done = server("check-manifest", str(manifest))
    assert (done.returncode, done.stdout, done.stderr) == (0, "All 2 documents fit the schema.\n", "")


def test_check_manifest_names_the_documents_that_do_not_fit(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"a": "{ __typename }", "b": "{ nothing }", "c": "{"}')
    done = server("check-manifest", str(manifest))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "b: Cannot query field 'nothing' on type 'Query'.",
        "c: Syntax Error: Expected Name, found <EOF>.",
    ]


def test_serve_refuses_a_manifest_that_is_not_there_in_a_sentence(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    done = server("serve", GATEWAY_TRUSTED_DOCUMENTS=str(manifest), GATEWAY_TRUSTED_DOCUMENTS_MODE="allow")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"The manifest {manifest} cannot be read: No such file or directory.\n"
