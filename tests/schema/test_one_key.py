"""``by`` takes exactly one key: what has none, several or a null is refused before anything runs, with its place.

That is what GraphQL's ``@oneOf`` promises (September 2025, sections 3.10.1 and 5.6.5).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

LOOKUPS = {"package": "PackageKey", "grid": "GridKey", "category": "CategoryKey"}
RULE = "Within OneOf Input Object type '{}', exactly one field must be specified, and the value for that field must be "
RULE += "non-null."


@pytest.fixture(params=LOOKUPS)
def lookup(request: pytest.FixtureRequest) -> str:
    """Return each field that has an argument ``by``."""
    name: str = request.param
    return name


async def refusal(ask: Ask, query: str, **variables: object) -> list[dict[str, object]]:
    """Return the errors of an operation that never ran."""
    body = await ask(query, **variables)
    assert list(body) == ["errors"], body
    errors: list[dict[str, object]] = body["errors"]
    return errors


@pytest.mark.parametrize("key", ["{}", "{databaseId:null}", '{databaseId:1,slug:"a"}', "{id:null,slug:null}"])
async def test_a_literal_without_exactly_one_key_does_not_fit(
    ask: Ask, caplog: pytest.LogCaptureFixture, lookup: str, key: str
) -> None:
    with caplog.at_level(logging.WARNING):
        errors = await refusal(ask, f"{{{lookup}(by:{key}){{slug}}}}")
    assert errors == [
        {
            "message": RULE.format(LOOKUPS[lookup]),
            "locations": [{"line": 1, "column": len(lookup) + 6}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]
    assert not caplog.records


@pytest.mark.parametrize(
    ("key", "place"),
    [({}, ""), ({"slug": None}, " at .slug"), ({"databaseId": 1, "slug": "a"}, "")],
)
async def test_a_variable_without_exactly_one_key_does_not_fit(
    ask: Ask,
    caplog: pytest.LogCaptureFixture,
    lookup: str,
    key: dict[str, object],
    place: str,
) -> None:
    type_ = LOOKUPS[lookup]
    with caplog.at_level(logging.WARNING):
        errors = await refusal(ask, f"query($key:{type_}){{{lookup}(by:$key){{slug}}}}", key=key)
    assert errors == [
        {
            "message": f"Variable '$key' has invalid value{place}: {RULE.format(type_)}",
            "locations": [{"line": 1, "column": 7}],
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    ]
    assert not caplog.records


async def test_a_default_without_exactly_one_key_does_not_fit(ask: Ask, lookup: str) -> None:
    (error,) = await refusal(ask, f"query($key:{LOOKUPS[lookup]}={{}}){{{lookup}(by:$key){{slug}}}}")
    assert error["message"] == RULE.format(LOOKUPS[lookup])


async def test_a_key_that_a_variable_can_make_null_does_not_fit(ask: Ask, lookup: str) -> None:
    query = f"query($slug:String){{{lookup}(by:{{slug:$slug}}){{slug}}}}"
    (error,) = await refusal(ask, query, slug="a")
    assert error == {
        "message": "Variable '$slug' is of type 'String' but must be non-nullable to be used for OneOf Input Object "
        f"'{LOOKUPS[lookup]}'.",
        "locations": [
            {"line": 1, "column": 7},
            {"line": 1, "column": query.index(":$slug)".replace(")", "}")) + 2},
        ],
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
    }


async def test_one_key_finds_the_record_whichever_way_it_comes(ask: Ask) -> None:
    body = await ask(
        """query($key: PackageKey, $slug: String!, $id: Int!) {
          a: package(by: {databaseId: 1442}) { slug } b: package(by: {databaseId: $id}) { slug }
          c: package(by: $key) { slug } d: package(by: {slug: $slug}) { databaseId }
        }""",
        key={"databaseId": 1442},
        slug="django-cacheback",
        id=1442,
    )
    found = {"slug": "django-cacheback"}
    assert body == {"data": {"a": found, "b": found, "c": found, "d": {"databaseId": 1442}}}


async def test_introspection_says_which_inputs_take_one_key(ask: Ask) -> None:
    body = await ask("{ __schema { types { name kind isOneOf } } }")
    inputs = [type_ for type_ in body["data"]["__schema"]["types"] if type_["kind"] == "INPUT_OBJECT"]
    assert {type_["name"] for type_ in inputs if type_["isOneOf"]} == set(LOOKUPS.values())
