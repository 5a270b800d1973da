"""docs/architecture.md against the tree: every path that a document names exists, and the map names every room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAP = ROOT / "docs" / "architecture.md"
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|graphql|toml))`")
"""A path from the project's folder on: with a slash that is not its first character, or a file by its ending."""

MADE_BY_COMMANDS = {".venv/", ".cache/"}


def rooms() -> list[str]:
    """List the packages of the program, and the packages in them, as the map writes them."""
    inits = [*ROOT.glob("*/__init__.py"), *ROOT.glob("*/*/__init__.py")]
    names = (f"{init.parent.relative_to(ROOT)}/" for init in inits)
    return sorted(name for name in names if not name.startswith(("tests/", "benchmarks/", ".")))


@pytest.mark.parametrize("room", rooms())
def test_the_map_names_every_room(room: str) -> None:
    assert f"| `{room}` |" in MAP.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/engine.md", "CONTRIBUTING.md", "README.md"])
def test_every_path_that_a_document_names_exists(name: str) -> None:
    named = set(PATH.findall((ROOT / name).read_text(encoding="utf-8"))) - MADE_BY_COMMANDS
    assert len(named) > 5
    assert {path for path in named if not (ROOT / path).exists()} == set()
