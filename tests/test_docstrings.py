"""Docstrings are whole sentences that begin with a verb, or, of a value, with what it is."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.numbers_of_examples import share_of
from tests.support.source_files import ROOT, SourceFile, python_files, source_file


def files_by_room() -> dict[str, list[Path]]:
    """Return the files, but for those of others and those that users copy."""
    rooms = defaultdict[str, list[Path]](list)
    for path in python_files():
        parts = path.relative_to(ROOT).parts
        if not {"peers", "examples"}.intersection(parts):
            rooms[parts[0]].append(path)
    return rooms


ROOMS = files_by_room()
FRAGMENTS = frozenset(["Of", "That", "Those", "Whose"])
"""The first words of what is no sentence."""
NO_VERBS = FRAGMENTS | {"A", "An", "How", "The", "What", "Whether", "Where", "Who", "Whoever", "Why"}
"""The first words of a docstring that says what a function is, and not what it does."""
OPENED = r"[rRuU]?(?:\"|'){1,3}\s*[,.:;`]*"
SUSPECT = re.compile(
    rf"^ *{OPENED}(?:{'|'.join(FRAGMENTS)})\b"
    # The last line of the head of a function that is no test is all of it, or has the end of its parentheses.
    rf"|^ *(?:[)\]}}]|(?:async )?def (?!test_)).*:(?:\s|#.*)*{OPENED}(?:{'|'.join(NO_VERBS)})\b",
    re.MULTILINE,
)
"""What a file has if one of its docstrings may be wrong. Few have it, and only they are parsed."""


def wrong_docstrings(file: SourceFile) -> list[tuple[int, str]]:
    """Return what :func:`wrong` does, of a file that need not be parsed if the pattern is not in it."""
    return wrong(file) if SUSPECT.search(file.text) else []


def wrong(file: SourceFile) -> list[tuple[int, str]]:
    """Return the docstrings that begin with the wrong word, each with its line."""
    return [
        (line, text.strip()[:80])
        for line, text, is_function in file.docstrings()
        if text.split()[0].strip(",.:;`") in (NO_VERBS if is_function else FRAGMENTS)
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_docstring_begins_in_the_middle(room: str) -> None:
    wrong = {str(path): found for path in ROOMS[room] if (found := wrong_docstrings(source_file(path)))}
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        '"""Of a module."""\n',
        "class A:\n    '''\n    Those of a class.\n    '''\n",
        'LIMIT = 5\n"""`That` of a value."""\n',
        'def f(a: int) -> None:\n    """The first word of a function is a verb."""\n',
        "async def f(\n    a: int,\n) -> None:  # noqa\n    '''\n\n    A name.'''\n",
        'class A:\n    def f(self) -> tuple[\n        int\n    ]:\n        # why\n\n        r"""What."""\n',
        'class A:\n    @property\n    def f(self): "Whether it is."\n',
    ],
)
def test_a_wrong_docstring_is_found_wherever_it_stands(text: str) -> None:
    assert len(wrong_docstrings(SourceFile(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        'class A:\n    """The first word of a class may be any but a fragment."""\n',
        'def f() -> None:\n    """Return it.\n\n    Of these there are many.\n    """\n',
        'def test_a() -> None:\n    """The first word of a test may be any but a fragment."""\n',
    ],
)
def test_a_docstring_that_is_a_sentence_is_none_of_them(text: str) -> None:
    assert wrong_docstrings(SourceFile(text)) == []


def test_the_pattern_overlooks_no_docstring_that_the_parser_finds() -> None:
    for path in share_of([path for room in ROOMS.values() for path in room]):
        assert wrong(source_file(path)) == [], path
