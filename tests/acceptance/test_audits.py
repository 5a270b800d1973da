"""Runs the public audits of graphql-http, which check GraphQL over HTTP by the letter, over a real port.

The audits are of the draft before April 2026. If the edition of September 2026 differs, the gateway follows the
edition, and the audit must fail for the reason that is listed here.
"""

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


PARAMETERS = (
    "Parameters that are missing or of another kind have 422 (section 5.4); 400 is for what cannot be parsed."
)
J_ONLY = "A client that takes only application/json gets the real status, not 200 (sections 5.1 and 5.4)."
UNPROCESSABLE = "A document or variables that do not fit have 422, not 400 (section 5.4)."
CONTRADICTED = (
    {"572B": J_ONLY, "FDE2": J_ONLY, "7B9B": J_ONLY, "74FF": UNPROCESSABLE, "86EE": UNPROCESSABLE}
    | dict.fromkeys(("423L", "3E3A"), PARAMETERS)
    | {f"{kind}{number}": PARAMETERS for kind in ("LKJ", "6C0", "476", "58B") for number in range(4)}
)
"""Why the edition contradicts an audit, by the audit's id."""

PASSED_ALL_THE_SAME = {"74FF"}
"""The name of a field in its document begins with a digit, so that the document cannot be parsed: 400 is right."""


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
def test_an_audit_passes_unless_the_edition_contradicts_it(audited: dict[str, Any], id: str) -> None:
    assert (audited[id]["status"] != "ok") == (id in CONTRADICTED.keys() - PASSED_ALL_THE_SAME), audited[id]


def test_the_edition_contradicts_5_recommendations_and_18_options() -> None:
    levels = [AUDITS[id].split()[0] for id in CONTRADICTED]
    assert (levels.count("SHOULD"), levels.count("MAY"), len(levels)) == (5, 18, 23)
