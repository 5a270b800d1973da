"""Docstrings are whole sentences that begin with a verb, or, of a value, with what it is."""

from __future__ import annotations

import pytest

from tests.support.source_files import ROOT, python_files, source_file

FILES = [
    path for path in python_files() if not {"peers", "examples"}.intersection(path.relative_to(ROOT).parts)
]
FRAGMENTS = frozenset(["Of", "That", "Those", "Whose"])
"""The first words of what is no sentence."""
NO_VERBS = FRAGMENTS | {"A", "An", "How", "The", "What", "Whether", "Where", "Who", "Whoever", "Why"}
"""The first words of a docstring that says what a function is, and not what it does."""


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[0] for path in FILES}))
def test_no_docstring_begins_in_the_middle(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text.strip()[:80]}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] == room
        for line, text, is_function in source_file(path).docstrings
        if text.split()[0].strip(",.:;`") in (NO_VERBS if is_function else FRAGMENTS)
    ]
    assert wrong == []
