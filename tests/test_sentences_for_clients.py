"""No sentence that a client can get names a setting: clients cannot change it, and it tells how the gateway is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.prepared_request import GraphQLRequest
from schema import schema
from schema.sdl_dialects import DIALECTS, Dialect, print_dialect
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.source_files import ROOT, python_files, source_file
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

ROOMS = (
    "assistants",
    "caching",
    "catalog",
    "engine",
    "gateway",
    "resolvers",
    "schema",
    "sharing",
    "telemetry",
    "upstream",
    "web",
)
SETTING = re.compile(r"GATEWAY_\w*")
FOR_OPERATORS = {
    # They are in the log, and as the reason of a storage that cannot be used in /readyz.
    ("catalog/storage/sqlite_storage.py", "GATEWAY_STORAGE"),
    ("catalog/storage/valkey_storage.py", "GATEWAY_STORAGE"),
    ("sharing/valkey_connection.py", "GATEWAY_STORAGE"),
    # It is a remedy, which is in the log and no part of what clients are told.
    ("upstream/client/response_checks.py", "GATEWAY_UPSTREAM"),
    # The server ends with it at its start.
    ("telemetry/spans.py", "GATEWAY_TRACES"),
}


def strings_in(path: Path) -> Iterator[str]:
    """Yield the strings of a file, those inside others too, but no documentation."""
    text = source_file(path).text
    module = ast.parse(text if SETTING.search(text) else "")
    documentation = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_sentence_but_those_for_operators_names_a_setting() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in python_files()
        if path.relative_to(ROOT).parts[0] in ROOMS
        for text in strings_in(path)
        for name in SETTING.findall(text)
    }
    assert found == FOR_OPERATORS


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_description_in_the_schema_names_a_setting(dialect: Dialect) -> None:
    assert not SETTING.findall(print_dialect(schema, dialect))


@pytest.mark.parametrize("fault", [StatusFault(301), StatusFault(403), StatusFault(429), StatusFault(500)])
async def test_no_error_of_an_upstream_that_fails_names_a_setting(fault: StatusFault) -> None:
    embedded = EmbeddedUpstream(packages=5)
    embedded.faults.add(Fault(fault))
    async with source_over(embedded) as source:
        answer = await gateway_over(source).execute(GraphQLRequest('{ package(slug: "a") { title } }'))
    assert b'"errors"' in answer.body
    assert not SETTING.findall(answer.body.decode())
