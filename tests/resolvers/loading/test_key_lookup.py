"""Tests lookups: one key of three, and the traps of upstream's own (contract section 1)."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


def global_id(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.fixture
def embedded(whole_embedded_catalog: EmbeddedCatalog) -> EmbeddedUpstream:
    return EmbeddedUpstream(catalog=whole_embedded_catalog)


async def test_each_key_finds_the_same_record(ask: Ask) -> None:
    body = await ask(
        """query($id: ID) {
          a: package(id: $id) { title } b: package(databaseId: 1599) { title }
          c: package(slug: "django-celery-email") { id title }
        }""",
        id=global_id("Package:1599"),
    )
    title = "django-celery-email"
    found = {"id": global_id("Package:1599"), "title": title}
    assert body == {"data": {"a": {"title": title}, "b": {"title": title}, "c": found}}


async def test_grids_and_categories_have_the_same_keys(ask: Ask) -> None:
    body = await ask(
        """query($grid: ID, $category: ID) {
          a: grid(id: $grid) { slug } b: grid(databaseId: 15) { slug } c: grid(slug: "email") { id }
          d: category(id: $category) { slug } e: category(databaseId: 1) { slug } f: category(slug: "apps") { id }
        }""",
        grid=global_id("Grid:15"),
        category=global_id("Category:1"),
    )
    grid, category = {"slug": "email"}, {"slug": "apps"}
    assert body["data"] == {
        "a": grid,
        "b": grid,
        "c": {"id": global_id("Grid:15")},
        "d": category,
        "e": category,
        "f": {"id": global_id("Category:1")},
    }


async def test_all_categories_are_listed_by_id(ask: Ask, embedded: EmbeddedUpstream) -> None:
    body = await ask("{ categories { databaseId titlePlural showPypi } category(databaseId: 5) { title } }")
    assert [category["databaseId"] for category in body["data"]["categories"]] == [1, 2, 3, 4, 7, 8]
    assert body["data"]["category"] is None
    assert embedded.requests.total == 1


@pytest.mark.parametrize("slug", ["1599", "404", "007"])
async def test_a_slug_of_digits_never_finds_the_package_with_that_id(
    ask: Ask, embedded: EmbeddedUpstream, slug: str
) -> None:
    body = await ask("query($slug: String) { package(slug: $slug) { databaseId } }", slug=slug)
    assert body["data"] == {"package": None}
    (error,) = body["errors"]
    assert error["message"] == "This needs the whole catalog, which this gateway does not have."
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}
    assert embedded.requests.total == 0


async def test_a_package_with_a_slug_of_digits_is_found_by_its_id(ask: Ask) -> None:
    body = await ask("{ package(databaseId: 4567) { slug } grid(databaseId: 108) { slug } }")
    assert body["data"] == {"package": {"slug": "1599"}, "grid": {"slug": "12"}}


@pytest.mark.parametrize(
    "slug",
    ["Django-Celery-Email", "a.b", "a/b", "a\x00b", "\u0667", "\u00b2", "../grids/15", "a?b", "a#b", " a"],
)
async def test_a_slug_that_cannot_be_one_is_missing(ask: Ask, slug: str) -> None:
    body = await ask(
        "query($slug: String) { package(slug: $slug) { databaseId } grid(slug: $slug) { id } }", slug=slug
    )
    assert body == {"data": {"package": None, "grid": None}}


@pytest.mark.parametrize("id", [-1, 0, 2**31 - 1])
async def test_an_id_that_no_record_has_is_missing(ask: Ask, id: int) -> None:
    body = await ask(
        "query($id: Int) { package(databaseId: $id) { title } category(databaseId: $id) { id } }", id=id
    )
    assert body == {"data": {"package": None, "category": None}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "package takes exactly one of id, databaseId, slug, pypiName, repoUrl and by; it got none."),
        (
            "slug: null",
            "package takes exactly one of id, databaseId, slug, pypiName, repoUrl and by; it got none.",
        ),
        (
            'databaseId: 1, slug: "a"',
            "package takes exactly one of id, databaseId, slug, pypiName, repoUrl and by; it got databaseId and slug.",
        ),
        ('slug: ""', "package(slug:) is empty; a slug has 1 to 50 characters."),
        (
            f'slug: "{"a" * 10_000}"',
            "package(slug:) has 10,000 characters; a slug has 1 to 50 characters.",
        ),
        (
            f'id: "{global_id("Grid:15")}"',
            "package(id:) is the global id of a Grid, not of a Package.",
        ),
        (
            # Not repeated: a document names a variable hundreds of times, and each would repeat it.
            f'id: "{global_id("P" * 1000 + ":1")}"',
            'package(id:) is not a global id; a global id looks like "UGFja2FnZToxNTk5", as in the field id.',
        ),
    ],
)
async def test_a_wrong_key_is_a_sentence(
    ask: Ask, embedded: EmbeddedUpstream, arguments: str, sentence: str
) -> None:
    body = await ask(f"{{ package({arguments}) {{ title }} }}" if arguments else "{ package { title } }")
    (error,) = body["errors"]
    assert error["message"] == sentence
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert embedded.requests.total == 0


@pytest.mark.parametrize(
    "id",
    [
        "",
        "1599",
        "=",
        "é",
        global_id("Package"),
        global_id("Package:"),
        global_id("Package:x"),
        global_id("Package:-1"),
        global_id("Package:" + "9" * 5000),
        b64encode(b"\xff\xfe:1").decode(),
    ],
)
async def test_what_is_no_global_id_is_a_sentence(ask: Ask, id: str) -> None:
    body = await ask("query($id: ID) { package(id: $id) { title } }", id=id)
    (error,) = body["errors"]
    assert error["message"] == (
        'package(id:) is not a global id; a global id looks like "UGFja2FnZToxNTk5", as in the field id.'
    )
