"""Tests graphql-codegen with the address of a gateway, as its users try it first: it reads the schema over HTTP."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import served

CLIENTS = Path(__file__).parents[1] / "clients"
OPERATION = "query Newest { packages(first: 1) { nodes { title created changelog: participants } } }"


def test_codegen_types_an_operation_by_the_address_of_a_gateway(tmp_path: Path) -> None:
    modules = npm_install(CLIENTS)
    (tmp_path / "newest.graphql").write_text(OPERATION)
    with served(tmp_path / "catalog.sqlite") as gateway:
        configuration = {
            "schema": gateway.graphql,
            "documents": str(tmp_path / "*.graphql"),
            "generates": {f"{tmp_path}/gql/": {"preset": "client"}},
        }
        file = tmp_path / "codegen.json"
        file.write_text(json.dumps(configuration))
        command = [str(modules / ".bin" / "graphql-codegen"), "--config", str(file)]
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "export type NewestQuery = " in (tmp_path / "gql" / "graphql.ts").read_text()
