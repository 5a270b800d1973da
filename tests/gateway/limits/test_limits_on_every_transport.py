"""An operation beyond a limit is refused alike over every transport, before it runs, and counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.limits import DocumentLimits
from gateway.plan_explanation import Unplanned, explain
from gateway.prepared_request import GraphQLRequest
from setting_groups import document_limits
from settings import read_settings
from tests.support.command_line import server
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from tests.support.streaming_gateway import http_client, received, served, server_sent, socket, subscribe
from upstream.embedded import EmbeddedUpstream

GRAPHQL_JSON = "application/graphql-response+json"
FIELDS = "categories { slug } " * 51
SENTENCE = "An operation has 51 root fields, fragments included; 50 are allowed."
ERRORS = [
    {
        "message": SENTENCE,
        "extensions": {"code": "OPERATION_TOO_COMPLEX", "limit": "root_fields", "max": 50, "value": 51},
    }
]


async def test_a_post_and_a_get_are_refused_as_other_requests_are(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    params = {"query": f"{{ {FIELDS} }}"}
    for response in (await http.post("/graphql", json=params), await http.get("/graphql", params=params)):
        assert (response.status_code, response.json()) == (422, {"errors": ERRORS})
    telling = await http.post("/graphql", json=params, headers={"Accept": GRAPHQL_JSON})
    assert (telling.status_code, telling.json()) == (422, {"errors": ERRORS})
    assert telling.headers["Cache-Control"] == "no-store"
    assert embedded.requests.total == 0


async def test_streams_are_refused_by_the_same_error(tmp_path: Path) -> None:
    query, subscription = f"{{ {FIELDS} }}", f"subscription {{ {FIELDS} }}"
    with served(tmp_path / "catalog.sqlite") as gateway:
        async with http_client(gateway) as http:
            for text in (query, subscription):
                events = [event async for event in server_sent(http, text)]
                assert events == [("next", {"errors": ERRORS}), ("complete", None)]
        async with socket(gateway) as websocket:
            for id, text in (("1", query), ("2", subscription)):
                await subscribe(websocket, id, text)
                assert await received(websocket) == {"id": id, "type": "error", "payload": ERRORS}


def test_the_command_line_refuses_by_the_settings() -> None:
    done = server("query", "{ a: categories { slug } }", GATEWAY_LIMIT_ALIASES="0")
    assert '"limit": "aliases"' in done.stdout
    assert done.returncode == 1
    done = server("plan", "{ a: categories { slug } }", GATEWAY_LIMIT_ALIASES="0")
    sentence = "The document has 1 aliases (a fragment counts at each spread); 0 are allowed.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_a_plan_is_refused_by_the_limits_it_is_given() -> None:
    request = GraphQLRequest("{ categories { slug } }")
    assert explain(request, replace(DOCUMENT_LIMITS, depth=2))
    with pytest.raises(Unplanned) as caught:
        explain(request, replace(DOCUMENT_LIMITS, depth=1))
    assert str(caught.value) == "The document nests fields 2 levels deep, fragments included; 1 are allowed."


async def test_refusals_are_counted_by_limit(http: httpx.AsyncClient) -> None:
    deep = "{ " + "a { " * 20 + "a" + " }" * 21
    for query in (f"{{ {FIELDS} }}", deep, deep, "{ unknown }"):
        await http.post("/graphql", json={"query": query})
    families = text_string_to_metric_families((await http.get("/metrics")).text)
    (family,) = (family for family in families if family.name == "gateway_limits_hit")
    counted = {sample.labels["limit"]: sample.value for sample in family.samples}
    assert counted == {"root_fields": 1, "depth": 2}


async def test_two_gateways_in_one_process_have_limits_of_their_own(embedded: EmbeddedUpstream) -> None:
    async with source_over(embedded) as source:
        strict, lax = gateway_over(source, limit_aliases=0), gateway_over(source)
        request = GraphQLRequest("{ a: categories { slug } }")
        for _ in range(2):
            assert (await strict.execute(request)).failed
            assert not (await lax.execute(request)).failed
        assert (strict.refused, lax.refused) == ({"aliases": 2}, {})


def test_each_limit_is_a_setting() -> None:
    values = {name: 1000 + place for place, name in enumerate(DocumentLimits.__slots__)} | {"depth": 99}
    limits = document_limits(read_settings(**{f"limit_{name}": value for name, value in values.items()}))
    assert limits == DocumentLimits(**values)
