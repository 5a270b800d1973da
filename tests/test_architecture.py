"""Compares docs/architecture.md with the tree: every path that a document names exists, and the map names every room.

Files and classes have a size that can be read at once, and the name of a class says which one it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.numbers_of_examples import share_of
from tests.support.source_files import ROOT, python_files, source_file

MAP = ROOT / "docs" / "architecture.md"
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|graphql|toml))`")
"""A path from the project's folder on: with a slash that is not its first character, or a file by its ending."""

MAX_LINES_OF_A_FILE = 300
MAX_LINES_OF_A_CLASS = 200
TABLE = "settings.py"
"""The table of settings has a row for each, so it and its class are as long as there are settings."""

NO_ROOMS = ("tests/", "benchmarks/", "examples/")

MADE_BY_COMMANDS = {".venv/", ".cache/"}


def rooms() -> list[str]:
    """List the packages of the program, and the packages in them, as the map writes them."""
    inits = [*ROOT.glob("*/__init__.py"), *ROOT.glob("*/*/__init__.py")]
    names = (f"{init.parent.relative_to(ROOT)}/" for init in inits)
    return sorted(name for name in names if not name.startswith(("tests/", "benchmarks/", ".")))


def test_the_map_names_every_room() -> None:
    text = MAP.read_text(encoding="utf-8")
    assert len(rooms()) > 20
    assert [room for room in rooms() if f"| `{room}` |" not in text] == []


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/engine.md", "CONTRIBUTING.md", "README.md"])
def test_every_path_that_a_document_names_exists(name: str) -> None:
    named = set(PATH.findall((ROOT / name).read_text(encoding="utf-8"))) - MADE_BY_COMMANDS
    assert len(named) > 5
    assert {path for path in named if not (ROOT / path).exists()} == set()


def in_the_project(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lines = {in_the_project(path): len(source_file(path).text.splitlines()) for path in python_files()}
    assert len(lines) > 500
    assert {file for file, count in lines.items() if count > MAX_LINES_OF_A_FILE} == {TABLE}


def test_no_class_is_too_long_to_be_read_at_once() -> None:
    files = {in_the_project(path): source_file(path) for path in python_files()}
    assert sum(len(file.class_names) for file in files.values()) > 500
    too_long = {
        (name, class_name)
        for name, file in files.items()
        if file.lines_from_first_class > MAX_LINES_OF_A_CLASS
        for class_name, lines in file.class_lengths()
        if lines > MAX_LINES_OF_A_CLASS
    }
    assert too_long == {(TABLE, "Settings")}


def test_the_classes_that_are_compared_are_those_that_the_parser_finds() -> None:
    for path in share_of(python_files()):
        file = source_file(path)
        assert sorted(file.class_names) == sorted(name for name, _lines in file.class_lengths()), path


def test_no_two_classes_of_the_rooms_have_one_name() -> None:
    files = defaultdict[str, list[str]](list)
    for path in python_files():
        file = in_the_project(path)
        if not file.startswith(NO_ROOMS):
            for name in source_file(path).class_names:
                files[name].append(file)
    assert len(files) > 200
    assert {name: where for name, where in files.items() if len(where) > 1} == {}
