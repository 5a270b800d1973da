"""Tests assistants on the same machine: the SDK's own client runs the command, and talks on its standard streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command_line import server
from tests.support.forked_programs import ROOT


async def test_the_command_answers_on_its_standard_streams(tmp_path: Path) -> None:
    from mcp import Client, StdioServerParameters

    environment = {"GATEWAY_STORAGE": str(tmp_path / "catalog.sqlite")}
    assert server("sync", **environment).returncode == 0
    command = StdioServerParameters(
        command=sys.executable,
        args=[str(ROOT / "server.py"), "mcp"],
        cwd=tmp_path,
        env={**os.environ, **environment},
    )
    async with Client(command) as client:
        result = await client.call_tool("package", {"slug": "django-celery-email"})
        assert result.structured_content["package"]["title"] == "django-celery-email"
        assert result.structured_content["catalog"]["source"] == "DEMO"


def test_a_gateway_starts_without_the_sdk() -> None:
    """Nothing of it is imported until an assistant asks."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, server; server.app; print('mcp' in sys.modules, 'starlette' in sys.modules)",
        ],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_STORAGE": ":memory:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "False True\n"
