"""Tests the tools that make types from the schema, with the address of a gateway and what ``docs/clients.md`` says."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway_processes import ROOT
from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import Served, served

CLIENTS = Path(__file__).parents[1] / "clients"
DOCUMENT = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000/graphql"
OPERATION = "query Newest { packages(first: 1) { nodes { title created } } }"


def blocks(heading: str) -> list[str]:
    """Return the code below a heading of the document."""
    section = DOCUMENT.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    return re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    npm_install(CLIENTS)
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project of TypeScript with the clients as its modules."""
    (tmp_path / "src").mkdir()
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def run(project: Path, *command: str) -> None:
    program = str(CLIENTS / "node_modules" / ".bin" / command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_codegen_by_address_types_moments_as_strings(gateway: Served, project: Path) -> None:
    (configuration,) = blocks("GraphQL Code Generator")
    assert ADDRESS in configuration
    (project / "codegen.ts").write_text(configuration.replace(ADDRESS, gateway.graphql))
    (project / "src" / "newest.ts").write_text(
        f'import {{ graphql }} from "./gql/gql.js";\ngraphql(`{OPERATION}`);'
    )
    run(project, "graphql-codegen", "--config", "codegen.ts")
    types = (project / "src" / "gql" / "graphql.ts").read_text()
    (query,) = re.findall(r"export type NewestQuery = .*", types)
    assert "created: string" in query


def test_gql_tada_by_address_types_moments_as_strings(gateway: Served, project: Path) -> None:
    code, configuration = blocks("gql.tada")
    (project / "tsconfig.json").write_text(configuration.replace(ADDRESS, gateway.graphql))
    (project / "src" / "graphql.ts").write_text(code)
    (project / "src" / "newest.ts").write_text(f"""
import type {{ ResultOf }} from "gql.tada";
import {{ graphql }} from "./graphql.js";
const newest = graphql(`{OPERATION}`);
type Node = NonNullable<NonNullable<ResultOf<typeof newest>["packages"]>["nodes"]>[number];
type Created = NonNullable<Node>["created"];
// An error of the compiler unless both are the same.
const both: [Created] extends [string] ? ([string] extends [Created] ? true : false) : false = true;
export {{ both }};
""")
    run(project, "gql.tada", "generate-output")
    # What the compiler brings with it is not checked, which takes longer than all else.
    run(project, "tsc", "--project", ".", "--skipDefaultLibCheck")


def test_the_examples_tell_relay_and_ariadne_codegen_the_same() -> None:
    (relay,) = blocks("Relay")
    examples = ROOT / "examples" / "frontends"
    configuration = json.loads((examples / "relay" / "relay.config.json").read_text())
    assert json.loads(relay).items() <= configuration.items()
    (ariadne,) = blocks("ariadne-codegen")
    project = tomllib.loads((examples / "python" / "pyproject.toml").read_text())["tool"]["ariadne-codegen"]
    assert tomllib.loads(ariadne)["tool"]["ariadne-codegen"].items() <= project.items()
