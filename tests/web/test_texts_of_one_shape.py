"""Texts of one shape have answers, entity tags and ids of their own."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import httpx

from gateway.document_cache import CACHED_DOCUMENTS
from gateway.prepared_request import GraphQLRequest
from tests.support.crawled_gateway import app, http
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.predicted_costs import prepared_whole
from upstream.embedded import EmbeddedUpstream

__all__ = ["app", "http"]

TEXT = '{ package(slug: "%s") { slug } }'


async def test_each_text_has_its_answer_whether_or_not_it_is_kept(http: httpx.AsyncClient) -> None:
    slugs = await _slugs(http)
    for _ in range(3):
        for slug in slugs:
            answer = await http.post("/graphql", json={"query": TEXT % slug})
            assert answer.json() == {"data": {"package": {"slug": slug}}}
    missing = await http.post("/graphql", json={"query": TEXT % "no-such-package"})
    assert missing.json() == {"data": {"package": None}}


async def test_each_text_has_its_entity_tag(http: httpx.AsyncClient) -> None:
    one, other = [await http.get("/graphql", params={"query": TEXT % slug}) for slug in await _slugs(http)]
    assert one.headers["ETag"] != other.headers["ETag"]
    again = await http.get(
        "/graphql", params=dict(one.request.url.params), headers={"If-None-Match": one.headers["ETag"]}
    )
    assert again.status_code == 304
    changed = await http.get(
        "/graphql", params=dict(other.request.url.params), headers={"If-None-Match": one.headers["ETag"]}
    )
    assert changed.status_code == 200


async def test_a_persisted_query_is_known_by_the_hash_of_its_text(http: httpx.AsyncClient) -> None:
    one, other = [TEXT % slug for slug in await _slugs(http)]
    await http.post("/graphql", json={"query": one, "extensions": _hashed(one)})
    unknown = await http.post("/graphql", json={"extensions": _hashed(other)})
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    wrong = await http.post("/graphql", json={"query": other, "extensions": _hashed(one)})
    assert wrong.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_the_receipt_of_a_text_of_a_known_shape_is_that_of_a_text_read_whole(
    embedded: EmbeddedUpstream,
) -> None:
    text = (
        '{ packages(first: %d, filter: {title: "%s"}) { nodes { title grids { title } } } '
        'bad: node(id: "%s") { id } }'
    )
    async with source_over(embedded) as source:
        await source.crawl()
        gateway = gateway_over(source)
        await gateway.execute(GraphQLRequest(text % (1, "x", "y"), receipt=True))
        request = GraphQLRequest(text % (20, "django", "bad"), receipt=True)
        found = await gateway.documents.find_aside(request.query)
        assert found.literals is not None
        assert found.literals.whole is None  # it was not read: its shape is known
        by_shape = (await gateway.execute(request)).decoded()
        read_whole = (await gateway.run(prepared_whole(gateway, request))).decoded()
    assert by_shape["extensions"]["work"] == read_whole["extensions"]["work"]
    assert by_shape["extensions"]["engine"] == read_whole["extensions"]["engine"]
    assert by_shape["errors"] == read_whole["errors"]
    assert by_shape["data"] == read_whole["data"]


async def test_errors_are_in_their_own_text_when_the_plan_was_compiled_from_a_forgotten_one(
    embedded: EmbeddedUpstream,
) -> None:
    text = '{ package(slug: "%s") { title } bad: node(id: "%s") { id } }'
    columns = []
    async with source_over(embedded) as source:
        await source.crawl()
        gateway = gateway_over(source)
        for number, literals in enumerate([("a", "b"), ("longer", "as well"), ("zz", "c")]):
            for other in range(CACHED_DOCUMENTS if number else 0):
                # One that cannot be parsed takes a place too, and is read in no time.
                gateway.documents.read(f"{{ a{number}_{other}")
            answer = (await gateway.execute(GraphQLRequest(text % literals))).decoded()
            columns.append(answer["errors"][0]["locations"][0]["column"])
    assert columns == [32, 37, 33]


async def _slugs(http: httpx.AsyncClient) -> list[str]:
    answer = await http.post("/graphql", json={"query": "{ packages(first: 2) { nodes { slug } } }"})
    return [node["slug"] for node in answer.json()["data"]["packages"]["nodes"]]


def _hashed(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}
