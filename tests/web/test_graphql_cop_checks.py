"""Runs the checks of graphql-cop, each under its own name: what is refused, and what is found on purpose
(SECURITY.md)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.web.conftest import in_the_loop_of_the_file

pytestmark = in_the_loop_of_the_file


async def asked(http: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.post("/graphql", json={"query": query})).json()
    return answer


async def refused(http: httpx.AsyncClient, query: str) -> str:
    """Return the limit for which a document is refused, or the code of the first error. It has not run."""
    answer = await asked(http, query)
    assert "data" not in answer
    extensions: dict[str, str] = answer["errors"][0]["extensions"]
    return extensions.get("limit", extensions["code"])


async def test_alias_overloading_is_refused(shared_http: httpx.AsyncClient) -> None:
    aliases = " ".join(f"alias{number}: __typename" for number in range(201))
    assert await refused(shared_http, f"query cop {{ {aliases} }}") in ("aliases", "root_fields")


async def test_array_based_query_batching_is_off(shared_http: httpx.AsyncClient) -> None:
    answer = await shared_http.post("/graphql", json=[{"query": "query cop { __typename }"}] * 10)
    assert answer.status_code == 422
    assert "data" not in answer.json()


async def test_directive_overloading_is_refused(shared_http: httpx.AsyncClient) -> None:
    assert (
        await refused(shared_http, f"query cop {{ __typename {'@aa' * 10} }}") == "GRAPHQL_VALIDATION_FAILED"
    )
    assert await refused(shared_http, f"query cop {{ __typename {'@aa' * 1500} }}") == "tokens"


async def test_field_duplication_is_refused(shared_http: httpx.AsyncClient) -> None:
    assert await refused(shared_http, f"query cop {{ {'__typename ' * 500} }}") in (
        "repeated_fields",
        "root_fields",
    )


async def test_a_circular_query_by_introspection_is_refused(shared_http: httpx.AsyncClient) -> None:
    inner = "fields { name type { fields { name type { " * 6 + "name" + " } } } }" * 6
    assert await refused(shared_http, f"query cop {{ __schema {{ types {{ {inner} }} }} }}") == "depth"


async def test_circular_fragments_are_refused(shared_http: httpx.AsyncClient) -> None:
    document = "query cop { ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    assert await refused(shared_http, document) == "GRAPHQL_VALIDATION_FAILED"


async def test_a_mutation_by_get_is_refused(shared_http: httpx.AsyncClient) -> None:
    answer = await shared_http.get("/graphql", params={"query": "mutation cop { __typename }"})
    assert answer.status_code >= 400
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
)
async def test_post_based_csrf_is_refused(shared_http: httpx.AsyncClient, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    answer = await shared_http.post("/graphql", content="query=%7B__typename%7D", headers=headers)
    assert answer.status_code == 415


async def test_trace_mode_is_off(shared_http: httpx.AsyncClient) -> None:
    assert await asked(shared_http, "query cop { __typename }") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("query", ["qwerty cop { abc }", "{", "", "{ package(slug: 7) { slug } }", "\x00"])
async def test_no_error_is_unhandled(shared_http: httpx.AsyncClient, query: str) -> None:
    answer = await shared_http.post("/graphql", json={"query": query})
    assert 400 <= answer.status_code < 500
    for word in ("Traceback", "exception", ".py", "INTERNAL"):
        assert word not in answer.text


async def test_introspection_is_found_on_purpose(shared_http: httpx.AsyncClient) -> None:
    assert (await asked(shared_http, "query cop { __schema { types { name fields { name } } } }"))["data"][
        "__schema"
    ]


async def test_field_suggestions_are_found_on_purpose(shared_http: httpx.AsyncClient) -> None:
    assert "Did you mean" in (await asked(shared_http, "query cop { packag }"))["errors"][0]["message"]


async def test_graphiql_is_found_on_purpose(shared_http: httpx.AsyncClient) -> None:
    assert "GraphiQL" in (await shared_http.get("/graphql", headers={"Accept": "text/html"})).text


async def test_queries_by_get_are_found_on_purpose(shared_http: httpx.AsyncClient) -> None:
    answer = await shared_http.get("/graphql", params={"query": "query cop { __typename }"})
    assert answer.json() == {"data": {"__typename": "Query"}}
