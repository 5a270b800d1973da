"""Tests ``/catalog/changes.ndjson``, whose changes lead from the files of a version to those of a newer one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateways_with_files import (
    Filed,
    downloaded,
    gateway_with_files,
    hash_of,
    replayed,
)

VERSIONS = 3
"""So few that what the tests ask for is within the allowance of rebuilds."""


@pytest.fixture
async def filed(tmp_path: Path) -> AsyncIterator[Filed]:
    async with gateway_with_files(tmp_path, versions=VERSIONS) as filed:
        yield filed


async def test_a_version_is_the_hash_of_the_lines_of_its_files(filed: Filed) -> None:
    for catalog in filed.catalogs:
        assert hash_of(await downloaded(filed.http, catalog.version)) == catalog.version
    assert filed.embedded.requests.total == 0


async def test_changes_replayed_over_an_older_version_are_the_newer_one(filed: Filed) -> None:
    first, second, third = (catalog.version for catalog in filed.catalogs)
    for since, until in ((first, second), (second, third), (first, third), (third, first)):
        answer = await filed.http.get("/catalog/changes.ndjson", params={"since": since, "until": until})
        assert answer.status_code == 200, answer.text
        assert hash_of(replayed(await downloaded(filed.http, since), answer.content)) == until


async def test_without_until_the_changes_lead_to_the_newest_version_and_say_so(filed: Filed) -> None:
    since, newest = filed.catalogs[0].version, filed.catalogs[-1].version
    answer = await filed.http.get("/catalog/changes.ndjson", params={"since": since})
    assert hash_of(replayed(await downloaded(filed.http, since), answer.content)) == newest
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    named = answer.headers["Content-Location"]
    assert named == f"/catalog/changes.ndjson?since={since}&until={newest}"
    again = await filed.http.get(named)
    assert (again.content, again.headers["ETag"]) == (answer.content, answer.headers["ETag"])
    assert again.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert again.headers["Content-Type"] == "application/x-ndjson"


async def test_nothing_has_changed_since_the_newest_version(filed: Filed) -> None:
    answer = await filed.http.get("/catalog/changes.ndjson", params={"since": filed.catalogs[-1].version})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "needs since="),
        ("since=x", 404, "32 hexadecimal digits"),
        (f"since={'0' * 32}", 404, "There is no version"),
        (f"since={'0' * 32}&until=..", 404, "32 hexadecimal digits"),
    ],
)
async def test_what_is_no_version_gets_a_sentence(filed: Filed, query: str, status: int, words: str) -> None:
    answer = await filed.http.get(f"/catalog/changes.ndjson?{query}")
    assert answer.status_code == status
    assert words in answer.json()["errors"][0]["message"]
    assert answer.headers["Cache-Control"] == "no-store"
