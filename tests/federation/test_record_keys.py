"""Tests the keys that other graphs may have of a record: read of it, and given as one value to find it."""

from __future__ import annotations

from typing import Any

from strawberry import relay

from tests.support.gateway_in_process import Ask

REPOSITORY = "https://github.com/pmclanahan/django-celery-email"


async def test_a_package_tells_its_name_on_pypi(ask_catalog: Ask) -> None:
    body = await ask_catalog(
        '{ a: package(slug: "django-celery-email") { pypiName pypi { name } } '
        "b: packages(filter: { hasPypiRelease: false }, first: 100) { nodes { pypiName pypi { name } } } }"
    )
    assert body["data"]["a"] == {
        "pypiName": "django-celery-email",
        "pypi": {"name": "django-celery-email"},
    }
    for each in body["data"]["b"]["nodes"]:
        assert each["pypiName"] == (each["pypi"] and each["pypi"]["name"])


async def test_every_key_can_be_one_value(ask_catalog: Ask) -> None:
    query = "query($key: PackageKey) { package(by: $key) { databaseId } }"
    keys: list[dict[str, Any]] = [
        {"id": relay.to_base64("Package", 1599)},
        {"databaseId": 1599},
        {"slug": "django-celery-email"},
        {"pypiName": "django-celery-email"},
        {"repoUrl": REPOSITORY},
    ]
    for key in keys:
        assert await ask_catalog(query, key=key) == {"data": {"package": {"databaseId": 1599}}}
    others = '{ grid(by: { slug: "email" }) { databaseId } category(by: { databaseId: 1 }) { slug } }'
    assert await ask_catalog(others) == {"data": {"grid": {"databaseId": 15}, "category": {"slug": "apps"}}}
    both = await ask_catalog(query, key={"slug": "x", "databaseId": 1})
    assert [error["extensions"]["code"] for error in both["errors"]] == ["BAD_USER_INPUT"]
    twice = await ask_catalog('{ grid(by: { slug: "email" }, databaseId: 15) { slug } }')
    assert twice["errors"][0]["message"] == (
        "grid takes exactly one of id, databaseId, slug and by; it got databaseId and by."
    )
