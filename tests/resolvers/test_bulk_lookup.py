"""Tests many records at once, and any record by its global id."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


def gid(text: str) -> str:
    return b64encode(text.encode()).decode()


EMAIL = "django-celery-email"
REPOSITORY = "https://github.com/pmclanahan/django-celery-email"


@pytest.mark.parametrize(
    ("field", "keys"),
    [
        ("packagesBySlug(slugs: $keys)", [EMAIL, "nope", EMAIL]),
        ("packagesById(ids: $ids)", [gid("Package:1599"), gid("Package:999999"), gid("Package:1599")]),
        ("packagesByPypiName(names: $keys)", ["Django_Celery.Email", "nope", EMAIL]),
        ("packagesByRepoUrl(urls: $keys)", [f"{REPOSITORY}.git", "nope", REPOSITORY.upper()]),
    ],
)
async def test_packages_come_in_the_order_asked_and_missing_ones_are_null(
    ask_catalog: Ask, embedded: EmbeddedUpstream, field: str, keys: list[str]
) -> None:
    name, kind = ("ids", "ID") if "$ids" in field else ("keys", "String")
    body = await ask_catalog(
        f"query(${name}: [{kind}!]!) {{ found: {field} {{ databaseId }} }}", **{name: keys}
    )
    assert body == {"data": {"found": [{"databaseId": 1599}, None, {"databaseId": 1599}]}}
    # The key that the catalog does not know is tried live, and a list shows that it is the API that says 404.
    assert embedded.requests.total <= 2


async def test_grids_come_in_the_order_asked_and_missing_ones_are_null(ask_catalog: Ask) -> None:
    body = await ask_catalog(
        'query($ids: [ID!]!) { a: gridsBySlug(slugs: ["nope", "email"]) { databaseId }'
        " b: gridsById(ids: $ids) { slug } }",
        ids=[gid("Grid:15")],
    )
    assert body == {"data": {"a": [None, {"databaseId": 15}], "b": [{"slug": "email"}]}}


async def test_without_a_catalog_the_keys_are_asked_together(ask: Ask, embedded: EmbeddedUpstream) -> None:
    ids = sorted(embedded.catalog.packages)[:60]
    global_ids = [gid(f"Package:{id}") for id in ids]
    # Once the length of the list is known, the whole list is cheaper than so many details.
    await ask("{ packages(first: 100) { totalCount } }")
    embedded.requests.reset()
    body = await ask("query($ids: [ID!]!) { packagesById(ids: $ids) { databaseId } }", ids=global_ids)
    assert [package["databaseId"] for package in body["data"]["packagesById"]] == ids
    assert embedded.requests.total == 1


async def test_one_key_that_fails_costs_its_own_place_alone(ask: Ask, embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    ids = [gid("Package:683"), gid("Package:1599")]
    body = await ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert body["data"]["nodes"] == [{"id": ids[0]}, None]
    assert [error["path"] for error in body["errors"]] == [["nodes", 1]]


@pytest.mark.parametrize(
    "field",
    [
        "packagesBySlug(slugs:",
        "packagesByPypiName(names:",
        "packagesByRepoUrl(urls:",
        "gridsBySlug(slugs:",
        "nodes(ids:",
        "packagesById(ids:",
        "gridsById(ids:",
    ],
)
async def test_a_hundred_keys_are_taken_and_one_more_refused(ask_catalog: Ask, field: str) -> None:
    name = field.partition("(")[0]

    async def asked(count: int) -> dict[str, Any]:
        keys = ", ".join(['"UGFja2FnZToxNTk5"'] * count)
        return await ask_catalog(f"{{ {field} [{keys}]) {{ __typename }} }}")

    assert len((await asked(100))["data"][name]) == 100
    body = await asked(101)
    (error,) = body["errors"]
    assert error["message"] == f"{name} got 101 keys; it can have up to 100."
    assert body["data"] == {name: None}


async def test_any_record_is_found_by_its_global_id(ask_catalog: Ask) -> None:
    ids = [
        gid(text) for text in ("Package:1599", "Grid:15", "Category:1", "Contributor:pmac", "Package:999999")
    ]
    body = await ask_catalog(
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Package { slug } } }", ids=ids
    )
    assert body["data"]["nodes"] == [
        {"__typename": "Package", "id": ids[0], "slug": EMAIL},
        {"__typename": "Grid", "id": ids[1]},
        {"__typename": "Category", "id": ids[2]},
        {"__typename": "Contributor", "id": ids[3]},
        None,
    ]
    one = await ask_catalog("query($id: ID!) { node(id: $id) { id __typename } }", id=ids[1])
    assert one == {"data": {"node": {"id": ids[1], "__typename": "Grid"}}}


@pytest.mark.parametrize(
    ("id", "sentence"),
    [
        (
            "x",
            'node(id:) is not a global id; a global id looks like "UGFja2FnZToxNTk5", as in the field id.',
        ),
        (gid("User:5"), "node(id:) is the global id of a User, which is no type of this graph."),
        (
            gid("Package:x"),
            'node(id:) is not a global id; a global id looks like "UGFja2FnZToxNTk5", as in the field id.',
        ),
    ],
)
async def test_what_is_no_global_id_of_this_graph_is_a_sentence(
    ask_catalog: Ask, id: str, sentence: str
) -> None:
    body = await ask_catalog("query($id: ID!) { node(id: $id) { id } }", id=id)
    assert [error["message"] for error in body["errors"]] == [sentence]
    assert body["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
