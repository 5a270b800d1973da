"""Tests the schema at /schema.graphql, in all its dialects."""

from __future__ import annotations

import httpx
import pytest
from graphql import GraphQLObjectType, build_schema

from schema import schema, sdl
from schema.sdl_dialects import DIALECTS, Dialect


@pytest.fixture
def use_engine() -> bool:
    """Use one execution only: it makes no difference here."""
    return True


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_each_dialect_is_served_as_it_is_printed(http: httpx.AsyncClient, dialect: Dialect) -> None:
    response = await http.get("/schema.graphql", params={"dialect": dialect})
    assert (response.status_code, response.text) == (200, f"{sdl(dialect)}\n")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_plain_is_what_there_is_without_a_dialect(http: httpx.AsyncClient) -> None:
    assert (await http.get("/schema.graphql")).text == f"{sdl('plain')}\n"


async def test_a_schema_that_is_known_is_not_sent_again(http: httpx.AsyncClient) -> None:
    tags = {}
    for dialect in DIALECTS:
        tags[dialect] = (await http.get("/schema.graphql", params={"dialect": dialect})).headers["ETag"]
    assert len(set(tags.values())) == len(DIALECTS)
    assert all(tag.startswith('"') for tag in tags.values())
    tag = tags["plain"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        response = await http.get("/schema.graphql", headers={"If-None-Match": known})
        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)
    for other in (tags["federation"], '"x"', tag.strip('"')):
        assert (await http.get("/schema.graphql", headers={"If-None-Match": other})).status_code == 200


async def test_an_unknown_dialect_is_a_sentence(http: httpx.AsyncClient) -> None:
    response = await http.get("/schema.graphql", params={"dialect": "klingon"})
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {
            "message": 'There is no dialect "klingon"; it can be plain, federation, composite, stitching or '
            "semantic-non-null.",
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]


def test_the_plain_schema_has_nothing_of_federation() -> None:
    text = sdl("plain")
    for part in (
        "_entities",
        "_service",
        "_Any",
        "_Entity",
        "_Service",
        "@key",
        "@shareable",
        "@link",
        "schema ",
    ):
        assert f" {part}" not in text.replace("(", " ")


@pytest.mark.parametrize("dialect", ["plain", "composite", "stitching"])
def test_a_dialect_is_valid_sdl_with_the_same_records(dialect: Dialect) -> None:
    """Federation's is not by itself: routers know its directives."""
    built = build_schema(sdl(dialect))
    for name in ("Package", "Grid", "Category", "Contributor"):
        type_, own = built.type_map[name], schema._schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        assert isinstance(own, GraphQLObjectType)
        assert list(type_.fields) == list(own.fields)
