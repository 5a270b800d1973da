"""Imports run one way: server -> web -> schema -> resolvers -> upstream, and web -> engine -> resolvers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "server": {"settings", "web", "schema", "resolvers", "upstream"},
    "settings": set[str](),
    "web": {"schema", "engine", "resolvers", "upstream"},
    "engine": {"resolvers"},
    "schema": {"resolvers", "upstream"},
    "resolvers": {"upstream"},
    "upstream": set[str](),
}
FILES = [
    path
    for room in MAY_IMPORT
    for path in (
        [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").exists() else sorted((ROOT / room).rglob("*.py"))
    )
]


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.level == 0 else []  # a relative one stays in its room
        else:
            continue
        yield from (name.partition(".")[0] for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    imported = set(imported_rooms(path)) & MAY_IMPORT.keys() - {room}
    assert imported <= MAY_IMPORT[room]


def test_every_room_is_listed() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {
        path.stem for path in ROOT.glob("*.py")
    }
    assert rooms == MAY_IMPORT.keys()


def test_no_test_file_imports_another() -> None:
    """What several of them share lies in ``tests/support``, apart from the tests."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    imported = re.compile(r"^ *(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)
    assert [path.name for path in files if imported.search(path.read_text(encoding="utf-8"))] == []
