"""Tests Apollo Client's persisted queries and the manifest of Apollo's generator, against a gateway on a real port."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.document_cache import DocumentCache
from gateway.persisted.manifest_format import read_manifest, unfit_documents
from tests.support.gateway_in_process import app_over
from tests.support.http_servers import serving
from tests.support.required_programs import npm_install
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from upstream.embedded import EmbeddedUpstream

CLIENTS = Path(__file__).parents[1] / "clients"
QUERY = "query Categories { categories { ...Titled } } fragment Titled on Category { title }"

BY_HASH = {"method": "GET", "text": False}
WITH_TEXT = {"method": "POST", "text": True}


@pytest.fixture(scope="module")
def modules() -> Path:
    return npm_install(CLIENTS)


def node(*command: str | Path) -> str:
    done = subprocess.run(["node", *command], cwd=CLIENTS, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(*arguments: str | Path, **settings: object) -> list[Any]:
    """Return what Apollo Client sends and gets when it asks twice."""
    with serving(app_over(EmbeddedUpstream(packages=20), **settings)) as address:
        lines = node("persisted.js", f"{address}/graphql", QUERY, "2", *arguments)
    return [json.loads(line) for line in lines.splitlines()]


def is_answer(line: Any) -> bool:
    return len(line["data"]["categories"]) == 6


def test_the_text_goes_over_the_wire_once(modules: Path) -> None:
    missed, registered, first, by_hash, second = asked()
    assert missed == BY_HASH | {"status": 422}
    assert registered == WITH_TEXT | {"status": 200}
    assert by_hash == BY_HASH | {"status": 200}
    assert is_answer(first)
    assert is_answer(second)


def test_where_ids_are_switched_off_it_goes_on_with_texts(modules: Path) -> None:
    refused, first_text, first, second_text, second = asked(automatic_persisted_queries="off")
    assert refused == BY_HASH | {"status": 422}
    assert first_text == second_text == WITH_TEXT | {"status": 200}
    assert is_answer(first)
    assert is_answer(second)


def test_a_generated_manifest_is_trusted_and_no_text_goes_over_the_wire(
    modules: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    (tmp_path / "categories.graphql").write_text(QUERY)
    configuration = tmp_path / "configuration.json"
    configuration.write_text(json.dumps({"documents": [f"{tmp_path}/*.graphql"], "output": str(manifest)}))
    generator = modules / ".bin" / "generate-persisted-query-manifest"
    node(generator, "--config", configuration)
    assert list(unfit_documents(read_manifest(manifest), DocumentCache(DOCUMENT_LIMITS))) == [None]
    first_sent, first, second_sent, second = asked(
        manifest, trusted_documents=str(manifest), trusted_documents_mode="only"
    )
    assert first_sent == second_sent == BY_HASH | {"status": 200}
    assert is_answer(first)
    assert is_answer(second)
