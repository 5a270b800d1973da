"""Tests the engine as a client and an operator see it: in the receipt, in the metrics, and by its setting."""

from __future__ import annotations

import json
from typing import Any

import httpx

from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over, source_over
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

CATEGORIES = "{ categories { slug } }"
INTROSPECTION = "{ __schema { queryType { name } } }"
FAILING = '{ grid(slug: "email") { packages { databaseId } } }'


async def extensions(http: httpx.AsyncClient, query: str) -> Any:
    response = await http.post("/graphql", json={"query": query}, headers={"X-Gateway-Receipt": "1"})
    return response.json()["extensions"]


async def test_the_receipt_says_who_answered(
    http: httpx.AsyncClient, use_engine: bool, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    shown = [(await extensions(http, query))["engine"] for query in (CATEGORIES, INTROSPECTION, FAILING)]
    if use_engine:
        assert shown == [
            {"used": True, "handedOver": None},
            {"used": False, "handedOver": "introspection"},
            {"used": True, "handedOver": None},
        ]
    else:
        assert shown == [{"used": False, "handedOver": None}] * 3


async def test_the_metrics_count_answers_and_why_others_were_handed_over(
    http: httpx.AsyncClient, use_engine: bool
) -> None:
    for query in (CATEGORIES, CATEGORIES, INTROSPECTION):
        await http.post("/graphql", json={"query": query})
    lines = (await http.get("/metrics")).text.splitlines()
    counted = [line for line in lines if line.startswith("gateway_engine_")]
    expected = [
        "gateway_engine_answers_total 2.0",
        'gateway_engine_handed_over_total{reason="introspection"} 1.0',
    ]
    assert counted == (expected if use_engine else [])


async def test_an_operation_that_fails_asks_upstream_for_nothing_twice(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    counted: list[tuple[int, object]] = []
    for use_engine in (True, False):
        embedded.requests.reset()
        async with source_over(embedded) as source:
            answer = await gateway_over(source, use_engine=use_engine).execute(
                GraphQLRequest(FAILING, receipt=True)
            )
            counted.append((embedded.requests.total, json.loads(answer.body)["errors"]))
            assert max(embedded.requests.by_target.values()) == 1
    assert counted[0] == counted[1]
