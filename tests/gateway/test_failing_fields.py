"""An operation with one field that fails costs what it costs without: the engine answers the others and the error."""

from __future__ import annotations

import pytest

from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

BIG = "packages(first: 100) { nodes { title grids { title packages { title } } } }"


@pytest.mark.parametrize(
    ("bad", "path", "code"),
    [
        ('bad: package(slug: "") { id }', ["bad"], "BAD_USER_INPUT"),
        ('bad: node(id: "no id") { id }', ["bad"], "BAD_USER_INPUT"),
        ("bad: grids(first: -1) { totalCount }", ["bad"], "BAD_USER_INPUT"),
    ],
)
async def test_a_bad_argument_leaves_the_rest_to_the_engine(
    known_source: CatalogSource, bad: str, path: list[str], code: str
) -> None:
    gateway = gateway_over(known_source)
    alone = (await gateway.execute(GraphQLRequest(f"{{ {BIG} }}"))).decoded()
    answer = (await gateway.execute(GraphQLRequest(f"{{ {BIG} {bad} }}"))).decoded()
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [(path, code)]
    assert answer["data"] == alone["data"] | {"bad": None}
    assert gateway.engine is not None
    assert gateway.engine.answered == 2
    assert not gateway.engine.fallbacks


async def test_a_failed_load_is_one_null_and_one_error_by_the_engine(
    embedded: EmbeddedUpstream, source: CatalogSource
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/grids/15/"))
    gateway = gateway_over(source)
    query = '{ package(slug: "django-celery-email") { title category { title } grids { title } } }'
    answer = (await gateway.execute(GraphQLRequest(query))).decoded()
    assert answer["data"]["package"]["title"] == "django-celery-email"
    assert answer["data"]["package"]["grids"] == [None]
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["package", "grids", 0], "UPSTREAM_UNAVAILABLE")
    ]
    assert gateway.engine is not None
    assert not gateway.engine.fallbacks
