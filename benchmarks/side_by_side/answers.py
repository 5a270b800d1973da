"""Checks that other gateways give the right answers, which are the gateway's own over the embedded catalog."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.side_by_side.workload import BenchmarkQuery, Dialect
from gateway.prepared_request import GraphQLRequest
from settings import read_settings
from upstream.client import in_process
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream
from wiring import make_gateway, open_source

HEADERS = {"Content-Type": "application/json"}
TIME_LIMIT = 60
"""Seconds for one answer."""

WRAPPERS = {"grid", "package", "nodes", "results"}
"""Names that some gateways put around a value, as the only key of an object, and others do not."""

RELATIONS = {"grids", "packages"}


class WrongAnswer(Exception):
    """Says that a gateway answers otherwise than ours."""


async def right_answers(
    queries: Iterable[BenchmarkQuery], catalog: EmbeddedCatalog
) -> dict[str, list[bytes]]:
    """Return the bodies by the query's name, one for each of its variables, over this catalog."""
    settings = read_settings(upstream="embedded", storage=":memory:", crawl="off")
    # Over an upstream whose day stands still, as the one does that the other gateways ask.
    async with open_source(settings, in_process(EmbeddedUpstream(catalog=catalog))) as source:
        await source.crawl()
        gateway = make_gateway(settings, source)
        return {
            query.name: [
                (await gateway.execute(GraphQLRequest(*query.asked("ours", variables)))).body
                for variables in query.variables
            ]
            for query in queries
        }


def check(
    port: int, dialect: Dialect, query: BenchmarkQuery, right: Sequence[bytes], *, at_once: int
) -> None:
    """Ask with each of the query's variables, so many at a time.

    :raises WrongAnswer: one answer is not right.
    """

    def wrong(variables: dict[str, object], body: bytes) -> str | None:
        status, answer = ask(port, *query.asked(dialect, variables))
        return None if same(answer, body) else f"{query.name} {variables}: {status} {answer[:300]!r}"

    with ThreadPoolExecutor(at_once) as pool:
        found = [found for found in pool.map(wrong, query.variables, right) if found]
    if found:
        raise WrongAnswer(
            f"{len(found)} of {len(right)} answers differ from the gateway's; the first is {found[0]}"
        )


def ask(port: int, document: str, variables: dict[str, object]) -> tuple[int, bytes]:
    """Status and body of one request, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIME_LIMIT)
    try:
        connection.request("POST", "/graphql", posted(document, variables), HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def posted(document: str, variables: dict[str, object]) -> str:
    """Return the body of a request."""
    return json.dumps({"query": document, "variables": variables}, separators=(",", ":"))


def same(one: bytes, other: bytes) -> bool:
    """Return whether two bodies hold the same data without errors.

    Wrappers do not count, nor does the order in a relation: v4 promises none, and our gateway sorts it.
    """
    mine, theirs = _data(one), _data(other)
    return mine is not None and mine == theirs


def _data(body: bytes) -> dict[str, Any] | None:
    """Return the data of a body without errors, made comparable; ``None`` if there is none."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict) or "errors" in answer:
        return None
    return {root: _plain(value) for root, value in answer["data"].items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and value.keys() <= WRAPPERS:
        return _plain(*value.values())
    return {
        key: sorted(_plain(item), key=json.dumps) if key in RELATIONS and item else _plain(item)
        for key, item in value.items()
    }
