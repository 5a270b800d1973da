"""Tests Apollo Gateway with ``apq: true``, which sends the text of a document only after a status of success."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway_processes import ROOT
from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import Served, served

SUPERGRAPH = ROOT / "examples" / "supergraph"
PROGRAM = """
import { RemoteGraphQLDataSource } from "@apollo/gateway";

const requests = [];
const source = new RemoteGraphQLDataSource({
  url: process.argv[2],
  apq: true,
  fetcher: async (address, options) => {
    const response = await fetch(address, options);
    requests.push({ text: "query" in JSON.parse(options.body), status: response.status });
    return response;
  },
});
const answers = [];
for (let n = 0; n < 2; n++) {
  const request = { query: process.argv[3] };
  answers.push((await source.process({ request, context: {}, incomingRequestContext: {} })).data);
}
console.log(JSON.stringify({ requests, answers }));
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Served]:
    npm_install(SUPERGRAPH)
    with served(tmp_path / "catalog.sqlite") as gateway:
        yield gateway


def test_it_sends_the_text_once_after_an_unknown_hash(gateway: Served) -> None:
    command = ["node", "--input-type=module", "-", gateway.graphql, '{ category(slug: "apps") { title } }']
    done = subprocess.run(
        command, cwd=SUPERGRAPH, input=PROGRAM, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["requests"] == [
        {"text": False, "status": 200},
        {"text": True, "status": 200},
        {"text": False, "status": 200},
    ]
    assert answer["answers"] == [{"category": {"title": "Apps"}}] * 2
