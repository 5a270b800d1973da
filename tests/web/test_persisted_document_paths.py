"""Tests persisted documents by path: the draft that the digest of GraphQL over HTTP calls P6."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.support.crawled_gateway import app, http
from tests.support.gateway_in_process import app_over, client_of
from tests.support.graphql_over_http import ACCEPTS, G, J
from tests.support.persisted_documents import hash_of
from tests.support.trusted_documents import write
from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

__all__ = ["app", "http"]

TEXT = "query Title($slug: String!) { category(slug: $slug) { title } } query Other { __typename }"
PATH = f"/graphql/persisted/{hash_of(TEXT)}"
APPS = {"variables": json.dumps({"slug": "apps"})}
TITLE = {"data": {"category": {"title": "Apps"}}}


@pytest.fixture
async def known(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """Return a client of a gateway at which the document is registered."""
    sent = {"query": TEXT, "documentId": hash_of(TEXT), "operationName": "Other"}
    assert (await http.post("/graphql", json=sent)).json() == {"data": {"__typename": "Query"}}
    return http


async def test_p6_a_path_is_the_same_as_its_parameters(known: httpx.AsyncClient) -> None:
    for hash in (hash_of(TEXT), f"sha256:{hash_of(TEXT)}"):
        by_path = await known.get(f"/graphql/persisted/{hash}/Title", params=APPS)
        params = {"documentId": hash, "operationName": "Title"} | APPS
        by_parameters = await known.get("/graphql", params=params)
        assert by_path.json() == TITLE
        assert by_path.headers == by_parameters.headers


async def test_without_the_name_of_an_operation_the_document_has_one(http: httpx.AsyncClient) -> None:
    text = '{ category(slug: "apps") { title } }'
    await http.post("/graphql", json={"query": text, "documentId": hash_of(text)})
    for path in (hash_of(text), f"{hash_of(text)}/"):
        response = await http.get(f"/graphql/persisted/{path}")
        assert (response.status_code, response.json()) == (200, TITLE)


@in_the_loop_of_the_file
@pytest.mark.parametrize("accept", [*ACCEPTS, "text/html,*/*"])
async def test_an_unknown_document_is_a_404_for_every_client(
    shared_http: httpx.AsyncClient, accept: str | None
) -> None:
    request = shared_http.build_request("GET", PATH)
    del request.headers["Accept"]
    if accept is not None:
        request.headers["Accept"] = accept
    response = await shared_http.send(request)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == f"{G if accept in (G, J) else J}; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["errors"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        (
            "/graphql/persisted/",
            404,
            "There is nothing at /graphql/persisted/; the GraphQL endpoint is /graphql.",
        ),
        (f"{PATH}/Title/x", 404, f"There is nothing at {PATH}/Title/x; the GraphQL endpoint is /graphql."),
        (f"{PATH}/Title?operationName=Other", 422, "operationName is in the address more than once."),
        (f"{PATH}?documentId=x", 422, "documentId is in the address more than once."),
        (f"{PATH}/Title?variables=[]", 422, "variables must be an object; it is an array."),
        (f"{PATH}/None", 422, 'The document has no operation named "None".'),
    ],
)
async def test_a_wrong_path_is_refused_with_a_sentence(
    known: httpx.AsyncClient, path: str, status: int, sentence: str
) -> None:
    response = await known.get(path, headers={"Accept": G})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (status, sentence)
    assert response.headers["Content-Type"] == f"{G}; charset=utf-8"


@pytest.mark.parametrize("method", ["POST", "PUT", "QUERY"])
async def test_a_path_takes_no_other_method(known: httpx.AsyncClient, method: str) -> None:
    response = await known.request(method, PATH, json={"variables": {}})
    assert (response.status_code, set(response.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


@pytest.mark.parametrize("origins", ["*", "https://ours.example"])
async def test_pages_of_other_origins_may_read_what_they_may_read_elsewhere(
    embedded: EmbeddedUpstream, origins: str
) -> None:
    async with client_of(app_over(embedded, cors_origins=origins)) as http:
        await http.post(
            "/graphql", json={"query": TEXT, "documentId": hash_of(TEXT), "operationName": "Other"}
        )
        origin = {"Origin": "https://ours.example"}
        response = await http.get(f"{PATH}/Other", headers=origin)
        assert response.headers["Access-Control-Allow-Origin"] == origins
        assert response.json() == {"data": {"__typename": "Query"}}
        preflight = await http.options(PATH, headers=origin | {"Access-Control-Request-Method": "GET"})
        assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
        assert (await http.get(f"{PATH}/Other", headers={"Origin": "https://theirs.example"})).headers.get(
            "Access-Control-Allow-Origin"
        ) == ("*" if origins == "*" else None)


async def test_who_has_the_answer_is_told_so_and_head_has_its_headers(known: httpx.AsyncClient) -> None:
    got = await known.get(f"{PATH}/Title", params=APPS)
    assert got.headers["Cache-Control"].startswith("public, max-age=")
    assert (await known.head(f"{PATH}/Title", params=APPS)).headers == got.headers
    headers = {"If-None-Match": got.headers["ETag"]}
    assert (await known.get(f"{PATH}/Title", params=APPS, headers=headers)).status_code == 304


async def test_paths_that_differ_are_kept_apart(known: httpx.AsyncClient, app: GatewayApp) -> None:
    """The parameters behind the ``?`` are the same, and so are all headers."""
    for _ in range(3):
        titles = [await known.get(f"{PATH}/{name}", params=APPS) for name in ("Title", "Other")]
        assert [each.json() for each in titles] == [TITLE, {"data": {"__typename": "Query"}}]
    assert app.parts.responses.found == 4


async def test_an_id_of_a_manifest_may_have_any_characters_but_a_slash(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    write(path, {"title & café+1": TEXT})
    settings = {"trusted_documents": str(path), "trusted_documents_mode": "only"}
    async with client_of(app_over(embedded, **settings)) as http:
        response = await http.get(f"/graphql/persisted/{quote('title & café+1')}/Title?{urlencode(APPS)}")
        assert response.json() == TITLE
        unknown = await http.get("/graphql/persisted/title")
        assert unknown.status_code == 404
        assert unknown.json()["errors"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_IN_LIST"}
