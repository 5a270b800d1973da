"""Tests the gateway over HTTP and standard streams with the command line of the MCP Inspector, the protocol's own
tool."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import server
from tests.support.forked_programs import ROOT
from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import served

INSPECTOR = Path(__file__).parent / "inspector"
TOOLS = {"find_packages", "compare_grid", "package", "what_changed", "describe_schema", "run_query"}


@pytest.fixture(scope="module", params=["HTTP", "standard streams"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Give the arguments of the command line that name the gateway."""
    storage = tmp_path_factory.mktemp("storage") / "catalog.sqlite"
    if request.param == "HTTP":
        with served(storage) as gateway:
            yield [f"{gateway.address}/mcp", "--transport", "http"]
    else:
        environment = f"GATEWAY_STORAGE={storage}"
        assert server("sync", GATEWAY_STORAGE=str(storage)).returncode == 0
        yield ["-e", environment, sys.executable, str(ROOT / "server.py"), "mcp"]


def asked(target: list[str], home: Path, *arguments: str) -> Any:
    """Return what the Inspector prints. Its own files are kept below ``home``."""
    program = npm_install(INSPECTOR) / ".bin" / "mcp-inspector"
    done = subprocess.run(
        [str(program), "--cli", *target, "--connect-timeout", "100000", "--method", *arguments],
        env=os.environ | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_it_lists_the_tools_and_calls_one(target: list[str], tmp_path: Path) -> None:
    tools = asked(target, tmp_path, "tools/list")["tools"]
    assert {tool["name"] for tool in tools} == TOOLS
    assert all(tool["description"] and tool["inputSchema"]["type"] == "object" for tool in tools)
    arguments = ("--tool-name", "package", "--tool-arg", "slug=django-celery-email")
    called = asked(target, tmp_path, "tools/call", *arguments)
    assert not called.get("isError")
    assert called["structuredContent"]["package"]["title"] == "django-celery-email"
