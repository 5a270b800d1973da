"""Tests ``X-Gateway-Explain`` and ``explain: true``, which tell what an operation would cost, without an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.prepared_request import GraphQLRequest
from gateway.request_explanation import MAX_PLAN
from tests.support.crawled_gateway import app, http
from tests.support.gateway_in_process import app_over, gateway_over, source_over
from tests.support.persisted_documents import hash_of
from tests.support.trusted_documents import apollo_manifest, write
from upstream.embedded import EmbeddedUpstream

__all__ = ["app", "http"]

EXPLAIN = {"X-Gateway-Explain": "1"}
QUERY = "query A($n: Int = 3) { packages(first: $n) { nodes { title grids { title } } } }"
SUBSCRIPTION = "subscription { catalogChanged { at } }"


async def explained(http: httpx.AsyncClient, query: str, **more: object) -> dict[str, Any]:
    """Return ``extensions.explain`` of a request."""
    response = await http.post("/graphql", json={"query": query, **more}, headers=EXPLAIN)
    body = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert body.keys() == {"data", "extensions"}
    assert body["data"] is None
    assert body["extensions"].keys() == {"explain"}
    told: dict[str, Any] = body["extensions"]["explain"]
    return told


async def test_an_operation_is_explained_and_does_not_run(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    before = embedded.requests.total
    told = await explained(http, 'query A { package(slug: "nobody") { title grids { title } } }')
    assert embedded.requests.total == before
    assert told["allowed"] is True
    assert told["predicted"].keys() == {"units", "values", "records", "bytes", "upstreamRequests"}
    assert told["predicted"]["upstreamRequests"] == 0
    assert told["atMost"]["path"] == "query.package.grids"
    assert told["limit"].keys() == {"values", "work", "bytes", "seconds"}
    assert told["engine"] == {"used": True, "handedOver": None}
    assert told["plan"][0] == "Query with package"
    assert not any("def build" in line for line in told["plan"])


async def test_pages_in_variables_are_part_of_the_prediction(http: httpx.AsyncClient) -> None:
    units = [
        (await explained(http, QUERY, variables=variables))["predicted"]["units"]
        for variables in ({}, {"n": 3}, {"n": 30})
    ]
    assert units[0] == units[1]
    assert units[2] > 5 * units[1]


async def test_every_way_to_ask_gives_the_same_explanation(http: httpx.AsyncClient) -> None:
    told = await explained(http, QUERY)
    in_extensions = {"query": QUERY, "extensions": {"explain": True}}
    by_get = {"query": QUERY, "extensions": '{"explain": true}'}
    for response in (
        await http.post("/graphql", json=in_extensions),
        await http.get("/graphql", params=by_get),
        await http.get("/graphql", params={"query": QUERY}, headers=EXPLAIN),
        await http.request("QUERY", "/graphql", json=in_extensions),
    ):
        assert response.json() == {"data": None, "extensions": {"explain": told}}
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("extensions", [{"explain": "true"}, {"explain": 1}, {"explain": False}, {}])
async def test_nothing_but_true_asks_for_an_explanation(
    http: httpx.AsyncClient, extensions: dict[str, object]
) -> None:
    response = await http.post("/graphql", json={"query": QUERY, "extensions": extensions})
    assert response.json()["data"] is not None
    for value in ("0", "true", ""):
        response = await http.post("/graphql", json={"query": QUERY}, headers={"X-Gateway-Explain": value})
        assert response.json()["data"] is not None


async def test_an_explanation_and_an_answer_never_take_the_place_of_each_other(
    http: httpx.AsyncClient,
) -> None:
    """Neither among the answers, nor among the replies by their bytes, nor among those that are not modified."""
    for _ in range(3):
        await explained(http, QUERY)
        answered = await http.get("/graphql", params={"query": QUERY})
        assert "extensions" not in answered.json()
        tag = {"If-None-Match": answered.headers["ETag"]}
        assert (await http.get("/graphql", params={"query": QUERY}, headers=tag)).status_code == 304
        told = await http.get("/graphql", params={"query": QUERY}, headers=EXPLAIN | tag)
        assert told.status_code == 200
        assert "ETag" not in told.headers
        assert told.json()["data"] is None
    assert "X-Gateway-Explain" in answered.headers["Vary"]


async def test_a_document_that_is_not_valid_has_its_errors(http: httpx.AsyncClient) -> None:
    for query, status in (
        ("{ nothing }", 422),
        ("{", 400),
        ("query A { __typename } query B { __typename }", 422),
    ):
        explain = await http.post("/graphql", json={"query": query}, headers=EXPLAIN)
        plain = await http.post("/graphql", json={"query": query})
        assert explain.json() == plain.json()
        assert explain.status_code == plain.status_code
        assert plain.status_code in (status, 200)


async def test_a_subscription_and_an_answer_in_parts_are_explained_in_one_answer(
    http: httpx.AsyncClient,
) -> None:
    told = await explained(http, SUBSCRIPTION)
    assert told["engine"] == {"used": False, "handedOver": "operation"}
    assert told["plan"] is None
    deferred = "{ packages { nodes { title ... @defer { grids { title } } } } }"
    parts = await http.post(
        "/graphql",
        json={"query": deferred},
        headers=EXPLAIN | {"Accept": "multipart/mixed, application/json"},
    )
    assert parts.json()["extensions"].keys() == {"explain"}
    events = await http.post(
        "/graphql", json={"query": SUBSCRIPTION}, headers=EXPLAIN | {"Accept": "text/event-stream"}
    )
    first = next(line for line in events.text.splitlines() if line.startswith("data: {"))
    assert json.loads(first.removeprefix("data: "))["extensions"]["explain"] == told


async def test_what_is_too_dear_is_explained_and_refused(embedded: EmbeddedUpstream) -> None:
    async with source_over(embedded) as source:
        gateway = gateway_over(source, limit_values=100)
        for text in (
            "{ packages(first: 100) { nodes { title } } }",
            "subscription { catalogChanged { node { ... on Package { grids { packages { title } } } } } }",
        ):
            told = (await gateway.execute(GraphQLRequest(text, explain=True))).decoded()["extensions"][
                "explain"
            ]
            assert told["allowed"] is False
            assert told["atMost"]["values"] > told["limit"]["values"] == 100
            prepared = await gateway.prepare(GraphQLRequest(text), None)
            answers = [answer.decoded() async for answer in gateway.stream(prepared)]
            assert [answer["errors"][0]["extensions"]["limit"] for answer in answers] == ["values"]


async def test_a_plan_of_many_megabytes_is_cut_off(embedded: EmbeddedUpstream) -> None:
    alias = "a" * 3_000
    spread = " ".join(f'b{n}: package(slug: "a") {{ ...F }}' for n in range(40))
    text = f"{{ {spread} }} fragment F on Package {{ {alias}: grids {{ {alias}: packages {{ title }} }} }}"
    async with source_over(embedded) as source:
        gateway = gateway_over(source, limit_values=10**9)
        body = (await gateway.execute(GraphQLRequest(text, explain=True))).body
    plan = json.loads(body)["extensions"]["explain"]["plan"]
    assert plan[-1] == "..."
    assert len(body) < 2 * MAX_PLAN


async def test_only_trusted_documents_are_explained_where_only_they_run(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    trusted = "query Trusted { categories { title } }"
    write(manifest, apollo_manifest(Trusted=trusted))
    app = app_over(embedded, trusted_documents=str(manifest), trusted_documents_mode="only")
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http,
    ):
        refused = await http.post("/graphql", json={"query": QUERY}, headers=EXPLAIN)
        assert refused.status_code == 403
        assert "explain" not in refused.text
        told = await http.post("/graphql", json={"documentId": hash_of(trusted)}, headers=EXPLAIN)
        assert told.json()["extensions"]["explain"]["allowed"] is True


async def test_the_receipt_has_the_cost_as_predicted_and_as_counted(http: httpx.AsyncClient) -> None:
    receipt = {"X-Gateway-Receipt": "1"}
    query = "{ packages(first: 3) { nodes { title category { title } } } }"
    response = await http.post("/graphql", json={"query": query}, headers=receipt)
    cost = response.json()["extensions"]["cost"]
    assert cost.keys() == {"predicted", "actual", "limit"}
    data = json.dumps({"data": response.json()["data"]}, separators=(",", ":"))
    assert cost["actual"] == {"units": 8, "values": 1 + 3 * 4, "bytes": len(data), "upstreamRequests": 0}
    predicted = cost["predicted"]
    assert (predicted["units"], predicted["values"], predicted["upstreamRequests"]) == (8, 1 + 3 * 4, 0)
    assert cost["limit"] == (await explained(http, query))["limit"]
    searched = await http.post(
        "/graphql", json={"query": '{ search(query: "a") { totalCount } }'}, headers=receipt
    )
    cost = searched.json()["extensions"]["cost"]
    assert cost["actual"]["units"] == cost["predicted"]["units"] == 1 + 1 + 500 + 1000
