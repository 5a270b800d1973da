"""Tests where commands read a document from, and that a stored catalog answers without what asks upstream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.command_line import server
from tests.support.forked_programs import ROOT

EXAMPLE = ROOT / "examples" / "stats.graphql"
DOCUMENT = "{ categories { slug } }"


def piped(*arguments: str, content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run a command with this on its standard input."""
    return subprocess.run(
        [sys.executable, "server.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_STORAGE": ":memory:"},
        input=content,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_query_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "categories.graphql"
    file.write_text(f"\ufeff# categories\n{DOCUMENT}\n", encoding="utf-8")
    assert server("query", f"@{file}").stdout == server("query", DOCUMENT).stdout
    assert json.loads(server("query", f"@{file}").stdout)["data"]["categories"]


def test_query_reads_standard_input() -> None:
    done = piped("query", "-", content=DOCUMENT.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == server("query", DOCUMENT).stdout


def test_plan_reads_a_file_too() -> None:
    assert server("plan", f"@{EXAMPLE}").stdout == server("plan", EXAMPLE.read_text()).stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"\xff", "is not UTF-8."),
        (b"#" * 1_000_001, "has more than 1,000,000 bytes, which a document cannot have."),
    ],
)
def test_a_document_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "x.graphql"
    if content is not None:
        file.write_bytes(content)
        done = piped("query", "-", content=content)
        assert (done.returncode, done.stderr.decode()) == (2, f"Standard input {sentence}\n")
    from_file = server("query", f"@{file}")
    assert (from_file.returncode, from_file.stdout) == (2, "")
    assert from_file.stderr == f"The file {file} {sentence}\n"


def test_a_stored_catalog_answers_without_what_asks_upstream(tmp_path: Path) -> None:
    environment = {"GATEWAY_STORAGE": str(tmp_path / "catalog.sqlite")}
    assert server("sync", **environment).returncode == 0
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "server.py", "query", f"@{EXAMPLE}"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["data"]["stats"]["packageCount"] == 5400
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    packages = {module.partition(".")[0] for module in modules}
    assert {"wiring", "gateway", "graphql"} <= packages
    # Each takes a while to import, and is for HTTP, for pages or for what Django Packages is asked with.
    assert not modules & {"upstream.embedded", "upstream.client.http_transport", "http.cookiejar"}
    assert not packages & {
        "aiohttp",
        "assistants",
        "google",
        "httpx",
        "markdown_it",
        "mcp",
        "prometheus_client",
        "pydantic_settings",
        "pygments",
        "rich",
        "starlette",
        "structlog",
        "uvicorn",
        "web",
        "websockets",
    }


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = server("--version")
    assert (done.returncode, done.stdout) == (0, f"{project['name']} {project['version']}\n")
