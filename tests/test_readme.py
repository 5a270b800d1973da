"""Tests the README: its commands are run, and its generated parts are up to date."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.generated_text import README
from tests.support.http_servers import free_port
from tests.support.processes import running

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
PLACES = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "benchmarks/*/README.md",
    "examples/*/README.md",
    "examples/*/*/README.md",
    "upstream/*/README.md",
)
DOCUMENTS = [README, *sorted(path for place in PLACES for path in ROOT.glob(place))]
EVERYDAY = "http://127.0.0.1:8000"

# The virtual environment that runs this test, so that `make` has nothing to set up.
MAKE = ["make", f"VENV={sys.prefix}"]


def test_ci_calls_the_commands_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "make test" in COMMANDS
    assert {"make test", "make check"} <= set(ci)


@pytest.fixture(scope="module")
def served() -> str:
    """Return the address that the README's `make run` serves, on a free port."""
    return f"http://127.0.0.1:{free_port()}"


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


def test_make_run_serves_and_the_curl_lines_work(served: str) -> None:
    (curl,) = (command for command in COMMANDS if command.startswith("curl"))
    assert "make run" in COMMANDS
    with running([*MAKE, "run"], f"{served}/healthz", GATEWAY_PORT=port_of(served)) as process:
        answer = run(curl.replace(EVERYDAY, served))
        assert answer["data"]["package"]["title"] == "django-celery-email"
        assert process.stdout is not None
        greeting: list[str] = []
        while not greeting or not greeting[-1].startswith("curl"):
            greeting.append(process.stdout.readline())
            assert greeting[-1], greeting
        assert any(f"{served}/graphql" in line and "GraphiQL" in line for line in greeting)
        canonical = run(greeting[-1])
    shown = re.search(r"<!-- canonical answer -->\n```json\n(.*?)```", TEXT, re.DOTALL)
    assert shown
    assert canonical == json.loads(shown[1])


def test_make_run_takes_another_upstream(served: str) -> None:
    assert "make run UPSTREAM=https://djangopackages.org/api/v4/" in COMMANDS
    nowhere = f"http://127.0.0.1:{free_port()}/api/v4/"
    with running([*MAKE, "run", f"UPSTREAM={nowhere}"], f"{served}/healthz", GATEWAY_PORT=port_of(served)):
        answer = run(f"curl -s '{served}/graphql?query=%7BcategorIes:categories%7Btitle%7D%7D'")
    assert answer["errors"][0]["message"] == "Upstream could not be reached for /categories/."


@pytest.mark.parametrize("name", ["query", "plan", "schema"])
def test_the_command_lines_work(name: str) -> None:
    commands = [command for command in COMMANDS if f"server.py {name}" in command]
    assert commands
    for command in commands:
        arguments = shlex.split(command)
        assert arguments[0] == ".venv/bin/python"
        done = subprocess.run(
            [sys.executable, *arguments[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        assert done.stdout


@pytest.mark.parametrize(("name", "path"), [("serve", "/healthz"), ("upstream", "/api/v4/")])
def test_the_servers_start_as_shown(name: str, path: str) -> None:
    (command,) = (command for command in COMMANDS if f"server.py {name}" in command)
    arguments = shlex.split(command)
    port = str(free_port())
    arguments[arguments.index("--port") + 1] = port
    with running([sys.executable, *arguments[1:]], f"http://127.0.0.1:{port}{path}"):
        pass


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_local_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", document.read_text(encoding="utf-8"))
    for file, heading in links:
        target = document.parent / file if file else document
        assert target.exists(), file
        assert not heading or heading in _headings(target), heading


def _headings(document: Path) -> set[str]:
    """Return what links can name of a document, as GitHub and its like make it of its headings."""
    titles = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def run(curl: str) -> dict[str, Any]:
    done = subprocess.run(shlex.split(curl), capture_output=True, text=True, timeout=180, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
