"""GraphQL over HTTP by the letter: the public audits of graphql-http, each MUST and each SHOULD, over a real port."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import served

CLIENTS = Path(__file__).parents[1] / "clients"

AUDITS: dict[str, str] = json.loads((CLIENTS / "audits.json").read_text())
"""Their names by their ids, as of the version in tests/clients/package.json."""


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    npm_install(CLIENTS)
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        command = ["node", "audits.js", gateway.graphql]
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=120, check=True)
        results = map(json.loads, done.stdout.splitlines())
        yield {result["id"]: result for result in results}


def test_the_audits_are_these(audited: dict[str, Any]) -> None:
    assert {id: audited[id]["name"] for id in audited} == AUDITS


@pytest.mark.parametrize("id", AUDITS, ids=[f"{id} {name}" for id, name in AUDITS.items()])
def test_audit(audited: dict[str, Any], id: str) -> None:
    assert audited[id]["status"] == "ok", audited[id]
