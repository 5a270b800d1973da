"""Tests GraphQL over HTTP: what is answered, and each wrong request with its sentence."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.web.conftest import in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

JSON = {"Content-Type": "application/json"}
GRAPHQL_JSON = "application/graphql-response+json"


async def post(http: httpx.AsyncClient, body: bytes | str, **headers: str) -> tuple[int, Any]:
    response = await http.post("/graphql", content=body, headers=JSON | headers)
    return response.status_code, response.json()


@in_the_loop_of_the_file
async def test_a_post_is_answered(live_http: httpx.AsyncClient) -> None:
    response = await live_http.post("/graphql", json={"query": '{ category(slug: "apps") { title } }'})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.json() == {"data": {"category": {"title": "Apps"}}}


@in_the_loop_of_the_file
async def test_variables_and_the_operation_name_are_used(live_http: httpx.AsyncClient) -> None:
    document = "query A { __typename } query B($id: Int!) { package(databaseId: $id) { slug } }"
    params = {"query": document, "operationName": "B", "variables": {"id": 1599}}
    response = await live_http.post("/graphql", json=params)
    assert response.json() == {"data": {"package": {"slug": "django-celery-email"}}}


@in_the_loop_of_the_file
async def test_a_get_is_answered(live_http: httpx.AsyncClient) -> None:
    params = {"query": "query($id: Int) { package(databaseId: $id) { slug } }", "variables": '{"id": 1599}'}
    response = await live_http.get("/graphql", params=params)
    assert response.json() == {"data": {"package": {"slug": "django-celery-email"}}}


async def test_the_receipt_comes_only_when_it_is_asked_for(http: httpx.AsyncClient) -> None:
    query = {"query": "{ categories { title } }"}
    response = await http.post("/graphql", json=query, headers={"X-Gateway-Receipt": "1"})
    upstream = response.json()["extensions"]["upstream"]
    assert upstream["requests"] == 1
    assert upstream["requestsByKind"] == {"categories page": 1}
    assert "extensions" not in (await http.post("/graphql", json=query)).json()


@in_the_loop_of_the_file
async def test_an_operation_that_cannot_run_has_its_errors_and_a_receipt(
    live_http: httpx.AsyncClient,
) -> None:
    """GraphiQL asks for a receipt each time, and sends what is still without its variables."""
    body = {"query": "query($slug: String!) { package(slug: $slug) { title } }"}
    response = await live_http.post("/graphql", json=body, headers={"X-Gateway-Receipt": "1"})
    answer = response.json()
    assert response.status_code == 422
    assert answer["errors"] == (await live_http.post("/graphql", json=body)).json()["errors"]
    actual = answer["extensions"]["cost"]["actual"]
    assert (actual["values"], actual["upstreamRequests"]) == (0, 0)


@pytest.mark.parametrize("use_engine", [True], ids=["engine"])
async def test_healthz_answers_without_upstream(http: httpx.AsyncClient, embedded: EmbeddedUpstream) -> None:
    embedded.faults.state = "down"
    response = await http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


EXAMPLE = '{"query": "{ categories { title } }"}'


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ("", 400, f"The body is empty; it must be a JSON object such as {EXAMPLE}."),
        (" \n", 400, f"The body is empty; it must be a JSON object such as {EXAMPLE}."),
        ("{", 400, "The body is not JSON: Input data was truncated."),
        ("query", 400, "The body is not JSON: JSON is malformed: invalid character (byte 0)."),
        (
            '"{ categories { title } }"',
            422,
            f"The body must be a JSON object such as {EXAMPLE}; it is a string.",
        ),
        ("[]", 422, f"The body must be a JSON object such as {EXAMPLE}; it is an array."),
        ("null", 422, f"The body must be a JSON object such as {EXAMPLE}; it is null."),
        ("[" * 100_000, 400, "The body is nested too deeply to be a GraphQL request."),
        ("{}", 422, f"query is missing; a request looks like {EXAMPLE}."),
        ('{"query": ""}', 400, f"query is empty; a request looks like {EXAMPLE}."),
        ('{"query": null}', 422, f"query is missing; a request looks like {EXAMPLE}."),
        ('{"query": 1}', 422, "query must be a string; it is a number."),
        ('{"query": "{ a }", "variables": []}', 422, "variables must be an object; it is an array."),
        ('{"query": "{ a }", "variables": "{}"}', 422, "variables must be an object; it is a string."),
        (
            '{"query": "{ a }", "operationName": true}',
            422,
            "operationName must be a string; it is a boolean.",
        ),
        ('{"query": "{ a }", "extensions": 1.5}', 422, "extensions must be an object; it is a number."),
        (b'{"query": "\xff"}', 400, "The body is not UTF-8."),
    ],
)
async def test_a_body_that_is_no_request_is_refused_with_a_sentence(
    shared_http: httpx.AsyncClient, body: bytes | str, status: int, sentence: str
) -> None:
    answered, answer = await post(shared_http, body)
    assert answer == {"errors": [{"message": sentence, "extensions": {"code": "BAD_REQUEST"}}]}
    assert answered == status


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("content_type", "sentence"),
    [
        ("", "The request has no Content-Type; it must be application/json."),
        ("text/plain", "The Content-Type is text/plain; it must be application/json."),
        ("application/jsonp", "The Content-Type is application/jsonp; it must be application/json."),
        (
            "application/x-www-form-urlencoded",
            "The Content-Type is application/x-www-form-urlencoded; it must be application/json.",
        ),
        ("application/json; charset=latin-1", "The charset is latin-1; it must be utf-8."),
    ],
)
async def test_another_content_type_is_a_415(
    shared_http: httpx.AsyncClient, content_type: str, sentence: str
) -> None:
    response = await shared_http.post("/graphql", content=EXAMPLE, headers={"Content-Type": content_type})
    assert response.json()["errors"][0]["message"] == sentence
    assert response.status_code == 415


@in_the_loop_of_the_file
async def test_a_content_type_may_name_utf_8(live_http: httpx.AsyncClient) -> None:
    status, _answer = await post(live_http, EXAMPLE, **{"Content-Type": 'Application/JSON; charset="UTF-8"'})
    assert status == 200


@in_the_loop_of_the_file
async def test_a_huge_body_is_a_413(shared_http: httpx.AsyncClient) -> None:
    status, answer = await post(shared_http, '{"query": "' + " " * 1_000_000 + '"}')
    assert answer["errors"][0]["message"] == "The body has more than 1,000,000 bytes."
    assert status == 413


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, f"query is missing; a request looks like {EXAMPLE}."),
        ({"query": ""}, f"query is empty; a request looks like {EXAMPLE}."),
        ({"query": "{ a }", "variables": "{"}, "variables in the address is not JSON."),
        ({"query": "{ a }", "variables": "[" * 3000}, "variables in the address is not JSON."),
        ({"query": "{ a }", "variables": "[]"}, "variables must be an object; it is an array."),
        ({"query": "{ a }", "extensions": "x"}, "extensions in the address is not JSON."),
    ],
)
async def test_a_get_that_is_no_request_is_refused_with_a_sentence(
    shared_http: httpx.AsyncClient, params: dict[str, str], sentence: str
) -> None:
    response = await shared_http.get("/graphql", params=params)
    assert response.json()["errors"][0]["message"] == sentence
    assert response.status_code == (400 if "empty" in sentence else 422)


@in_the_loop_of_the_file
async def test_other_methods_and_addresses_are_refused(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.put("/graphql", json={})
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST, QUERY, OPTIONS"
    assert response.json()["errors"][0]["message"] == "PUT is not allowed here; use GET, POST or QUERY."
    response = await shared_http.get("/graph")
    assert response.status_code == 404
    assert response.json()["errors"][0]["message"] == (
        "There is nothing at /graph; the GraphQL endpoint is /graphql."
    )


@in_the_loop_of_the_file
@pytest.mark.parametrize(
    ("params", "status", "code", "sentence"),
    [
        ({"query": "{"}, 400, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        (
            {"query": "{ categories { name } }"},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'name' on type 'Category'.",
        ),
        (
            {"query": "mutation { a }"},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            "The mutation operation is not supported by the schema.",
        ),
        (
            {"query": '{ package(databaseId: "x") { title } }'},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            'Int cannot represent non-integer value: "x"',
        ),
        (
            {"query": "{ package(databaseId: 3000000000) { title } }"},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            "Int cannot represent non 32-bit signed integer value: 3000000000",
        ),
        (
            {"query": "query A { __typename } query B { __typename }"},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            "The document has several operations (A, B); set operationName to the one to run.",
        ),
        (
            {"query": "query A { __typename }", "operationName": "C"},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            'The document has no operation named "C".',
        ),
        (
            {"query": "fragment A on Query { __typename }"},
            422,
            "GRAPHQL_VALIDATION_FAILED",
            "The document has no operation to run, only fragments.",
        ),
        (
            {"query": "query($id: Int!) { package(databaseId: $id) { title } }"},
            422,
            "BAD_USER_INPUT",
            "Variable '$id' has invalid value: Expected a value of non-null type 'Int!' to be provided.",
        ),
        (
            {"query": "query($id: Int!) { package(databaseId: $id) { title } }", "variables": {"id": "x"}},
            422,
            "BAD_USER_INPUT",
            "Variable '$id' has invalid value: Int cannot represent non-integer value: 'x'",
        ),
    ],
)
async def test_an_operation_that_cannot_run_says_why(
    live_http: httpx.AsyncClient, params: dict[str, object], status: int, code: str, sentence: str
) -> None:
    plain = await live_http.post("/graphql", json=params)
    assert plain.json()["errors"][0]["message"].startswith(sentence)
    assert plain.json()["errors"][0]["extensions"]["code"] == code
    assert "data" not in plain.json()
    assert plain.status_code == status
    telling = await live_http.post("/graphql", json=params, headers={"Accept": GRAPHQL_JSON})
    assert telling.headers["Content-Type"] == f"{GRAPHQL_JSON}; charset=utf-8"
    assert telling.json() == plain.json()
    assert telling.status_code == status


async def test_a_field_error_makes_the_status_294(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="120")))
    query = {"query": "{ package(databaseId: 1599) { title } }"}
    response = await http.post("/graphql", json=query, headers={"Accept": GRAPHQL_JSON})
    assert response.status_code == 294
    assert response.json() == {
        "data": {"package": None},
        "errors": [
            {
                "message": "Upstream answered /packages/1599/ with status 503.",
                "locations": [{"line": 1, "column": 3}],
                "path": ["package"],
                "extensions": {"code": "UPSTREAM_UNAVAILABLE", "retryAfter": 120.0},
            }
        ],
    }
