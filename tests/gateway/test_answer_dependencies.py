"""What an answer depends on comes back with it, and says whether the same operation has the same answer again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import strawberry

from catalog.catalog_source import CatalogSource
from engine.field_dependencies import EVERYTHING, DependsOn
from gateway.document_validation import read_document
from gateway.gateway import Gateway
from gateway.graphql_answer import GraphQLAnswer
from gateway.named_operation import dependencies_of
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over

EXAMPLES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent.parent.parent / "examples").glob("*.graphql"))
}
CATALOG, UPSTREAM, TIME, FEED, ASKER = (
    DependsOn.CATALOG,
    DependsOn.UPSTREAM,
    DependsOn.TIME,
    DependsOn.FEED,
    DependsOn.ASKER,
)
FILTERED = "query ($f: PackageFilter) { packages(filter: $f) { totalCount } }"
BY_DAYS = "query ($days: Int) { packages(filter: {activeWithinDays: $days}) { totalCount } }"
ENTITIES = '{ _entities(representations: [{__typename: "Grid", slug: "nothing"}]) { __typename } }'
SPREAD = "{ ...A } fragment A on Query { ...B } fragment B on Query { catalog { version } }"


async def answer(gateway: Gateway, query: str, **parts: Any) -> GraphQLAnswer:
    answer = await gateway.execute(GraphQLRequest(query, **parts))
    assert answer.ran, answer.decoded()
    return answer


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{ __typename }", {}, DependsOn(0)),
        ("{ __schema { queryType { name } } }", {}, DependsOn(0)),
        ("{ packages { totalCount } }", {}, CATALOG),
        ("{ packages(first: 1) { nodes { id title } } }", {}, CATALOG),
        ("{ catalog { version } }", {}, CATALOG | TIME),
        (SPREAD, {}, CATALOG | TIME),
        ("{ stats { packageCount } }", {}, CATALOG),
        ("{ stats { active { share } } }", {}, CATALOG | TIME),
        ("{ packages(first: 1) { nodes { daysSinceLastCommit } } }", {}, CATALOG | TIME),
        ("{ packages(filter: {activeWithinDays: 9}) { totalCount } }", {}, CATALOG | TIME),
        ("{ packages(filter: {or: [{not: {activeWithinDays: 9}}]}) { totalCount } }", {}, CATALOG | TIME),
        (BY_DAYS, {"days": 9}, CATALOG | TIME),
        (FILTERED, {}, CATALOG),
        (FILTERED, {"f": {"title": "e"}}, CATALOG),
        (FILTERED, {"f": {"activeWithinDays": 9}}, CATALOG | TIME),
        (FILTERED, {"f": {"or": [{"title": "e"}, {"not": {"activeWithinDays": 9}}]}}, CATALOG | TIME),
        ('{ package(slug: "django-celery-email") { title } }', {}, CATALOG),
        ('{ package(slug: "no-such-package") { title } }', {}, CATALOG | UPSTREAM),
        ('{ search(query: "email") { totalCount } }', {}, CATALOG | UPSTREAM),
        ('{ search(query: "email", first: 50) { totalCount } }', {}, CATALOG),
        ("{ changes { totalCount } }", {}, CATALOG | FEED),
        ("{ catalog { changesCursor } }", {}, CATALOG | TIME | FEED),
    ],
)
async def test_an_answer_depends_on_what_its_operation_selects(
    known_source: CatalogSource, use_engine: bool, query: str, variables: dict[str, Any], expected: DependsOn
) -> None:
    found = await answer(gateway_over(known_source, use_engine=use_engine), query, variables=variables)
    assert found.depends_on == expected
    assert found.can_be_cached == (not expected & ~CATALOG)


async def test_only_the_operation_that_runs_counts(known_source: CatalogSource) -> None:
    query = "query A { catalog { version } } query B { stats { gridCount } }"
    gateway = gateway_over(known_source)
    assert not (await answer(gateway, query, operation_name="A")).can_be_cached
    assert (await answer(gateway, query, operation_name="B")).can_be_cached


async def test_who_asks_counts_only_where_a_router_has_a_secret(known_source: CatalogSource) -> None:
    everyone, router = gateway_over(known_source), gateway_over(known_source, router_secret="secret")
    assert not (await answer(everyone, ENTITIES)).depends_on & ASKER
    assert (await answer(router, ENTITIES, router="secret")).depends_on & ASKER
    assert (await answer(router, "{ stats { gridCount } }", router="secret")).can_be_cached
    traced = await answer(router, "{ stats { gridCount } }", router="secret", traced=True)
    assert not traced.can_be_cached


async def test_an_answer_with_a_receipt_is_the_one_of_who_asked_for_it(known_source: CatalogSource) -> None:
    assert not (
        await answer(gateway_over(known_source), "{ stats { gridCount } }", receipt=True)
    ).can_be_cached


@pytest.mark.parametrize("name", EXAMPLES)
async def test_what_upstream_was_asked_for_is_declared_by_a_field(source: CatalogSource, name: str) -> None:
    gateway, text = gateway_over(source), EXAMPLES[name]
    found = await gateway.execute(GraphQLRequest(text))
    declared = dependencies_of(gateway.documents.read(text), None).of_fields
    assert found.depends_on & ~declared == DependsOn(0)
    assert not found.can_be_cached


def test_a_field_that_declares_nothing_depends_on_everything() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def forgotten(self) -> int:
            return 1

    document = read_document("{ forgotten }", strawberry.Schema(Query)._schema)
    assert dependencies_of(document, None).of_fields == EVERYTHING
