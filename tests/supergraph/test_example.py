"""Tests the example as people meet it: its one command, its README, and the requests its services spend."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.support.supergraph_programs import EXAMPLE, QUERIES, data, program
from web.request_parsing import ROUTER_HEADER

ROOT = EXAMPLE.parents[1]
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
MAKE = ["make", f"VENV={sys.prefix}", "supergraph"]
"""With the virtual environment that runs this test, so that there is nothing to set up."""

pytestmark = pytest.mark.usefixtures("installed")


def started(*command: str) -> subprocess.Popen[str]:
    # All that it starts inherits its standard error, so that reading that to its end waits for them.
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_one_command_joins_and_asks_and_leaves_nothing_running() -> None:
    process = started(*MAKE)
    printed, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    assert "make supergraph" in README
    for query in QUERIES.values():
        assert query in printed
    costs = re.findall(r"^(.+) has this by requests: (.+)$", printed, re.MULTILINE)
    assert len(costs) == 3 * len(QUERIES)
    assert all(cost.endswith("Django Packages 0") for _, cost in costs)
    shown = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert shown
    assert json.dumps(json.loads(shown[1])["data"], indent=2, ensure_ascii=False) in printed


def test_it_stops_what_it_started_when_it_is_stopped() -> None:
    process = started("node", str(EXAMPLE / "start.js"), sys.executable)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Three services have started"):
        assert process.poll() is None, "it ended before they started"
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("name", "key", "keys", "read"),
    [
        (
            "releases",
            "pypiName",
            ["dj-address", "django-cacheback", None, "dj-address"],
            "the releases of 2 packages",
        ),
        ("repositories", "repoUrl", ["https://a.example/b/c", "https://a.example/d/e"], "2 repositories"),
    ],
)
def test_a_service_reads_once_for_all_packages_of_a_request(
    name: str, key: str, keys: list[str | None], read: str
) -> None:
    query = """query($of: [_Any!]!) { _entities(representations: $of) { ... on Package { %s } } }"""
    field = {"releases": "releases { version }", "repositories": "license"}[name]
    with program(f"subgraphs/{name}.js") as service:
        data(service.address, query % field, of=[{"__typename": "Package", key: value} for value in keys])
    assert service.printed == [f"read {read}"]


def test_the_readme_shows_a_query_of_the_example() -> None:
    shown = re.search(r"```graphql\n(.*?)```", README, re.DOTALL)
    assert shown
    assert shown[1] == QUERIES["package"]


def test_every_file_that_the_readme_names_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (EXAMPLE / link).exists()] == []


@pytest.mark.parametrize("name", ["supergraph.yaml", "cosmo-graph.yaml"])
def test_the_routers_compose_the_same_services_at_the_same_addresses(name: str) -> None:
    services = dict(re.findall(r'(\w+): process.env.\w+ \?\? "(.*)"', file("services.js")))
    assert list(services) == ["djangopackages", "releases", "repositories"]
    composed = file(f"config/{name}")
    named = re.findall(r"(?:name: |^  )(\w+)(?::\n|\n) +routing_url: (.*)\n", composed, re.MULTILINE)
    assert dict(named) == services
    assert re.findall(r"\b(?:subgraph_)?url: (.*)", composed) == list(services.values())


@pytest.mark.parametrize("name", ["config/router.yaml", "config/cosmo-router.yaml", "services.js"])
def test_the_secret_is_sent_in_the_header_that_the_gateway_reads(name: str) -> None:
    assert ROUTER_HEADER in file(name)


def file(name: str) -> str:
    return (EXAMPLE / name).read_text(encoding="utf-8")
