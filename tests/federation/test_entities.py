"""Tests ``_entities``: the records that other graphs refer to, by the engine and by Strawberry's execution."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from graphql import GraphQLUnionType
from strawberry import relay
from strawberry.federation.schema_directives import Key
from strawberry.types import get_object_definition

from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from resolvers.federation_entities import KEYS
from schema import schema, sdl
from tests.support.gateway_in_process import Ask, asking, gateway_over
from tests.support.upstream_without_http import MadeSource, made_records
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

QUERY = """query($representations: [_Any!]!) { _entities(representations: $representations) {
    __typename
    ... on Package { databaseId }
    ... on Grid { gridId: databaseId }
    ... on Category { categoryId: databaseId }
    ... on Contributor { login }
} }"""
EMAIL = {"__typename": "Package", "databaseId": 1599}
"""django-celery-email, as it is referred to and as it is answered."""
REPOSITORY = "https://github.com/pmclanahan/django-celery-email"


@pytest.fixture
def ask_entities(known_source: CatalogSource, use_engine: bool) -> Ask:
    """Asks with a known catalog; no request to upstream has been counted."""
    ask = asking(known_source, use_engine=use_engine)

    async def entities(*representations: object, receipt: bool = False) -> dict[str, Any]:
        return await ask(QUERY, receipt=receipt, representations=list(representations))

    return entities


@pytest.mark.parametrize(
    ("representation", "entity"),
    [
        ({"__typename": "Package", "id": relay.to_base64("Package", 1599)}, EMAIL),
        ({"__typename": "Package", "databaseId": 1599}, EMAIL),
        ({"__typename": "Package", "slug": "django-celery-email"}, EMAIL),
        ({"__typename": "Package", "pypiName": "django-celery-email"}, EMAIL),
        ({"__typename": "Package", "pypiName": "Django_Celery.Email"}, EMAIL),
        ({"__typename": "Package", "repoUrl": REPOSITORY}, EMAIL),
        ({"__typename": "Package", "repoUrl": "git@github.com:PMClanahan/django-celery-email.git"}, EMAIL),
        ({"__typename": "Grid", "id": relay.to_base64("Grid", 15)}, {"__typename": "Grid", "gridId": 15}),
        ({"__typename": "Grid", "databaseId": 15}, {"__typename": "Grid", "gridId": 15}),
        ({"__typename": "Grid", "slug": "email"}, {"__typename": "Grid", "gridId": 15}),
        (
            {"__typename": "Category", "id": relay.to_base64("Category", 1)},
            {"__typename": "Category", "categoryId": 1},
        ),
        ({"__typename": "Category", "databaseId": 1}, {"__typename": "Category", "categoryId": 1}),
        ({"__typename": "Category", "slug": "apps"}, {"__typename": "Category", "categoryId": 1}),
        (
            {"__typename": "Contributor", "id": relay.to_base64("Contributor", "pmac")},
            {"__typename": "Contributor", "login": "pmac"},
        ),
        ({"__typename": "Contributor", "login": "PMAC"}, {"__typename": "Contributor", "login": "pmac"}),
    ],
)
async def test_a_record_is_found_by_each_of_its_keys(
    ask_entities: Ask, embedded: EmbeddedUpstream, representation: object, entity: object
) -> None:
    assert await ask_entities(representation) == {"data": {"_entities": [entity]}}
    assert embedded.requests.total == 0


def test_every_key_of_the_schema_is_one_that_records_are_found_by() -> None:
    union = schema._schema.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    assert {type_.name for type_ in union.types} == set(KEYS)
    for name, keys in KEYS.items():
        definition = get_object_definition(schema.get_type_by_name(name).origin, strict=True)  # type: ignore[union-attr]
        declared = [each.fields for each in definition.directives or () if isinstance(each, Key)]
        assert declared == list(keys)


def a_thousand(embedded: EmbeddedUpstream) -> tuple[list[dict[str, Any]], list[object]]:
    """Return a thousand mixed representations, many of them several times, and what they stand for."""
    draws = Random(1)
    rows = [embedded.catalog.packages[id] for id in sorted(embedded.catalog.packages)]
    pairs: list[tuple[dict[str, Any], object]] = []
    for _ in range(160):
        row = draws.choice(rows)
        package = {"__typename": "Package", "databaseId": row.id}
        pairs += [
            ({"__typename": "Package", "slug": row.slug}, package),
            ({"__typename": "Package", "databaseId": row.id}, package),
            ({"__typename": "Package", "id": relay.to_base64("Package", row.id)}, package),
            ({"__typename": "Grid", "slug": "email"}, {"__typename": "Grid", "gridId": 15}),
            ({"__typename": "Package", "slug": "no-such-package"}, None),
        ]
    pairs += [({"__typename": "Package", "pypiName": "django_celery_email"}, EMAIL)] * 100
    pairs += [({"__typename": "Package", "repoUrl": "https://example.org/no/such"}, None)] * 100
    draws.shuffle(pairs)
    assert len(pairs) == 1000
    return [representation for representation, _ in pairs], [entity for _, entity in pairs]


async def test_a_thousand_mixed_representations_of_a_known_catalog_cost_upstream_nothing(
    ask_entities: Ask, embedded: EmbeddedUpstream, use_engine: bool
) -> None:
    representations, expected = a_thousand(embedded)
    body = await ask_entities(*representations, receipt=True)
    assert body["data"]["_entities"] == expected
    assert "errors" not in body
    assert embedded.requests.total == 0
    assert body["extensions"]["engine"] == {"used": use_engine, "handedOver": None}


async def test_without_a_catalog_there_is_one_batch_for_each_type_and_key(use_engine: bool) -> None:
    made = MadeSource(made_records(), known=None)
    representations: list[dict[str, Any]] = []
    for _ in range(20):
        representations += [{"__typename": "Package", "databaseId": id} for id in range(1, 21)]
        representations += [{"__typename": "Package", "slug": f"slug-{id}"} for id in range(21, 31)]
        representations += [
            {"__typename": "Package", "id": relay.to_base64("Package", 999)},
            {"__typename": "Grid", "databaseId": 2},
            {"__typename": "Category", "databaseId": 1},
            {"__typename": "Category", "slug": "category-2"},
        ]
    gateway = gateway_over(made.as_source(), use_engine=use_engine)
    answer = await gateway.execute(GraphQLRequest(QUERY, {"representations": representations}))
    entities = answer.decoded()["data"]["_entities"]
    assert entities == entities[:34] * 20
    assert [each and each.get("databaseId") for each in entities[:31]] == [*range(1, 31), None]
    batches = {kind: sorted(keys, key=str) for kind, keys in made.batcher.batches if 1 not in keys}
    # Ids of both spellings are loaded by one loader, in one batch.
    assert sorted(map(len, (keys for _, keys in made.batcher.batches))) == [1, 10, 21]
    assert batches == {"package": sorted((f"slug-{id}" for id in range(21, 31)), key=str), "grid": [2]}
    assert max(Counter(made.batcher.asked).values()) == 1


@pytest.mark.parametrize(
    ("representation", "sentence"),
    [
        ("x", "Representation 1 of _entities is no object."),
        (
            {},
            "The __typename of representation 1 of _entities can be Package, Grid, Category or Contributor.",
        ),
        (
            {"__typename": "Release", "id": "1"},
            "The __typename of representation 1 of _entities can be Package, Grid, Category or Contributor.",
        ),
        (
            {"__typename": ["Package"]},
            "The __typename of representation 1 of _entities can be Package, Grid, Category or Contributor.",
        ),
        (
            {"__typename": "Package", "title": "django", "slug": None},
            "Representation 1 of _entities has no key of a Package; it can have id, databaseId, slug, pypiName or "
            "repoUrl.",
        ),
        (
            {"__typename": "Grid", "databaseId": True},
            "The databaseId of representation 1 of _entities is no integer.",
        ),
        (
            {"__typename": "Grid", "databaseId": "15"},
            "The databaseId of representation 1 of _entities is no integer.",
        ),
        (
            {"__typename": "Package", "pypiName": 5},
            "The pypiName of representation 1 of _entities is no string.",
        ),
        (
            {"__typename": "Package", "slug": ""},
            "The slug of representation 1 of _entities is empty; a slug has 1 to 50 characters.",
        ),
        (
            {"__typename": "Package", "id": "x"},
            "The id of representation 1 of _entities is not a global id; a global id looks like "
            '"UGFja2FnZToxNTk5", as in the field id.',
        ),
        (
            {"__typename": "Contributor", "id": relay.to_base64("Grid", 15)},
            "The id of representation 1 of _entities is the global id of a Grid, not of a Contributor.",
        ),
    ],
)
async def test_a_wrong_representation_is_an_error_at_its_place(
    ask_entities: Ask, representation: object, sentence: str
) -> None:
    body = await ask_entities(EMAIL, representation, EMAIL)
    assert body["data"] == {"_entities": [EMAIL, None, EMAIL]}
    (error,) = body["errors"]
    assert (error["message"], error["path"]) == (sentence, ["_entities", 1])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_what_fails_live_costs_its_own_places_alone(
    embedded: EmbeddedUpstream, source: CatalogSource, use_engine: bool
) -> None:
    """There is no catalog, so names on PyPI cannot be told; and one record fails."""
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/683/"))
    ask = asking(source, use_engine=use_engine)
    by_name = {"__typename": "Package", "pypiName": "x"}
    broken = {"__typename": "Package", "databaseId": 683}
    body = await ask(QUERY, representations=[by_name, EMAIL, broken, by_name, broken])
    assert body["data"] == {"_entities": [None, EMAIL, None, None, None]}
    assert sorted(error["path"][1] for error in body["errors"]) == [0, 2, 3, 4]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"UPSTREAM_UNAVAILABLE"}


async def test_many_slugs_wait_for_the_catalog(
    source: CatalogSource, embedded: EmbeddedUpstream, use_engine: bool
) -> None:
    """Upstream would be asked for them one by one. Here nobody crawls, so there is none."""
    ask = asking(source, use_engine=use_engine)
    slugs = [{"__typename": "Package", "slug": f"no-such-{count}"} for count in range(101)]
    body = await ask(QUERY, representations=[*slugs, EMAIL])
    assert body["data"]["_entities"] == [*[None] * 101, EMAIL]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"UPSTREAM_UNAVAILABLE"}
    assert embedded.requests.total == 1
    body = await ask(QUERY, representations=slugs[:50])
    assert body == {"data": {"_entities": [None] * 50}}
    assert embedded.requests.total == 51


async def test_a_request_has_a_budget_for_all_its_entities(ask_catalog: Ask, source: CatalogSource) -> None:
    both = (
        "query($a: [_Any!]!, $b: [_Any!]!) { a: _entities(representations: $a) { __typename } "
        "b: _entities(representations: $b) { __typename } }"
    )
    for use_engine in (True, False):
        gateway = gateway_over(source, use_engine=use_engine, limit_entities=5)
        asked = {"a": [EMAIL] * 3, "b": [EMAIL] * 2}
        assert not (await gateway.execute(GraphQLRequest(both, asked))).failed
        asked["b"].append(EMAIL)
        body = (await gateway.execute(GraphQLRequest(both, asked))).decoded()
        assert body["data"] is None
        (error,) = body["errors"]
        assert error["message"] == "_entities got 6 representations in this request; it can have up to 5."
        assert error["path"] == ["b"]
        assert error["extensions"] == {
            "code": "OPERATION_TOO_COMPLEX",
            "limit": "entities",
            "max": 5,
            "value": 6,
        }


async def test_the_subgraph_tells_its_schema(ask: Ask) -> None:
    body = await ask("{ _service { sdl } }")
    told = body["data"]["_service"]["sdl"]
    assert told == sdl("federation")
    # A router would take the directive for all its subgraphs, or forward it to none.
    assert "directive @asOf" in schema.as_str()
    assert "directive @asOf" not in told


async def test_representations_can_be_written_in_the_document(ask_catalog: Ask) -> None:
    body = await ask_catalog(
        "query($slug: String) { _entities(representations: ["
        '{ __typename: "Package", slug: $slug }, { __typename: "Grid", databaseId: 15 }]'
        ") { ... on Package { databaseId } ... on Grid { slug } } }",
        slug="django-celery-email",
        receipt=True,
    )
    assert body["data"] == {"_entities": [{"databaseId": 1599}, {"slug": "email"}]}
    assert body["extensions"]["engine"]["used"]
