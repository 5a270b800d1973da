"""What is made from the program is up to date, and the SDL breaks no client."""

from __future__ import annotations

import json
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.generated_text import (
    EXAMPLES,
    SDL,
    answer_of,
    breaking_changes,
    broken,
    broken_compositions,
    generated_files,
)


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    return generated_files()


def test_every_generated_file_is_up_to_date(files: dict[Path, str]) -> None:
    kept = {path: path.read_text(encoding="utf-8") for path in files}
    stale = [
        line
        for path, text in files.items()
        for line in unified_diff(kept[path].splitlines(), text.splitlines(), path.name, "anew", n=0)
    ]
    assert stale == [], "`make docs` writes them anew"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_answered_in_full(example: Path) -> None:
    answer = json.loads(answer_of(example).read_text(encoding="utf-8"))
    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())


def test_no_answer_is_left_of_an_example_that_is_gone() -> None:
    kept = set(answer_of(SDL).parent.iterdir())
    assert kept == {answer_of(example) for example in EXAMPLES}


def test_the_schema_breaks_nobody_who_uses_the_committed_one() -> None:
    assert broken() == []


def test_a_key_that_is_gone_breaks_those_who_refer_by_it() -> None:
    old = 'type A @key(fields: "id") @key(fields: "slug") { id: ID! }\ntype B @shareable { c: Int }'
    new = 'type A @key(fields: "id") { id: ID! }\ntype B { c: Int }'
    assert broken_compositions(old, new) == [
        '@key(fields: "slug") of A was removed.',
        "@shareable of B was removed.",
    ]
    assert broken_compositions(new, old) == []


def test_breaking_changes_are_told_by_name() -> None:
    old = "type Query { a: Int, b(c: Int): String! }"
    told = breaking_changes(old, "type Query { b: String, d: Int }")
    assert "Field Query.a was removed." in told
    assert "Argument Query.b(c:) was removed." in told
    assert "Field Query.b changed type from String! to String." in told
    assert breaking_changes(old, "type Query { a: Int!, b(c: Int): String!, d: Int }") == []
