"""A request may take so much work: what loops is counted, and beyond the limit one error answers it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from graphql import get_introspection_query
from prometheus_client.parser import text_string_to_metric_families

from catalog.catalog_source import CatalogSource
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import app_over, gateway_over
from tests.support.gateway_processes import ROOT
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import DOCUMENT_LIMITS

EXAMPLES = {path.stem: path.read_text() for path in sorted((ROOT / "examples").glob("*.graphql"))}
FILTERED = """{ contributors(first: 100) { nodes {
  packages(filter: {and: [{title: "a"}, {slug: "b"}]}) { totalCount } } } }"""


def refusal(answer: GraphQLAnswer) -> dict[str, Any]:
    """Return the one error that answers a request that was stopped."""
    assert answer.failed
    assert not answer.ran
    ((name, errors),) = answer.decoded().items()
    (error,) = errors
    assert (name, set(error)) == ("errors", {"message", "extensions"})
    extensions: dict[str, Any] = error["extensions"]
    assert extensions["code"] == "OPERATION_TOO_COMPLEX"
    assert error["message"] == (
        f"The operation takes too much work: it was stopped at {extensions['value']:,} steps; "
        f"{extensions['max']:,} are allowed. "
        "Ask for shorter lists, for fewer lists in lists, or for fewer filters."
    )
    return extensions


async def test_an_operation_passes_with_the_work_that_it_takes_and_not_with_less(
    known_source: CatalogSource, use_engine: bool
) -> None:
    gateway = gateway_over(known_source, use_engine=use_engine)
    told = (await gateway.execute(GraphQLRequest(FILTERED, receipt=True))).decoded()
    taken = told["extensions"]["work"]["steps"]
    for _ in range(2):  # what is kept from the last time counts as before
        gateway = gateway_over(known_source, use_engine=use_engine, limit_work=taken)
        assert not (await gateway.execute(GraphQLRequest(FILTERED))).failed
        gateway = gateway_over(known_source, use_engine=use_engine, limit_work=taken - 1)
        assert refusal(await gateway.execute(GraphQLRequest(FILTERED))) == {
            "code": "OPERATION_TOO_COMPLEX",
            "limit": "work",
            "max": taken - 1,
            "value": taken,
        }
        assert gateway.refused == {"work": 1}


@pytest.mark.parametrize("name", [*EXAMPLES, "introspection"])
async def test_the_examples_and_introspection_take_an_eighth_of_the_steps_at_most(
    whole_source: CatalogSource, use_engine: bool, name: str
) -> None:
    text = EXAMPLES.get(name) or get_introspection_query()
    answer = await gateway_over(whole_source, use_engine=use_engine).execute(
        GraphQLRequest(text, receipt=True)
    )
    assert not answer.failed
    work = answer.decoded()["extensions"]["work"]
    assert work["max"] == DOCUMENT_LIMITS.work
    assert 0 < work["steps"] <= work["max"] / 8


async def test_what_was_stopped_is_not_run_again_by_strawberry(known_source: CatalogSource) -> None:
    gateway = gateway_over(known_source, limit_work=200)
    refusal(await gateway.execute(GraphQLRequest(FILTERED)))
    several = FILTERED.replace("{ contributors", "{ a: contributors", 1).replace(
        "} } } }", "} } } " + FILTERED[1:]
    )
    refusal(await gateway.execute(GraphQLRequest(several)))
    assert gateway.engine is not None
    assert not gateway.engine.fallbacks


async def test_a_stopped_request_is_answered_as_one_beyond_any_limit_is() -> None:
    app = app_over(generated_upstream(20), limit_work=200)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as http,
    ):
        await app.parts.gateway.source.crawl()
        response = await http.post("/graphql", json={"query": FILTERED})
        assert (response.status_code, response.headers["Cache-Control"]) == (422, "no-store")
        telling = await http.post(
            "/graphql", json={"query": FILTERED}, headers={"Accept": "application/graphql-response+json"}
        )
        assert (telling.status_code, telling.json()) == (422, response.json())
        assert not (await app.parts.gateway.execute(GraphQLRequest("{ categories { slug } }"))).failed
        families = text_string_to_metric_families((await http.get("/metrics")).text)
    (family,) = (family for family in families if family.name == "gateway_limits_hit")
    assert {sample.labels["limit"]: sample.value for sample in family.samples} == {"work": 2}
