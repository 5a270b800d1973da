"""Finds which tests start other programs: those of modules in which something does, or that import such a
module."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
STARTS_ONE = re.compile(
    r"^(?:from|import) (?:subprocess|multiprocessing|playwright)\b|asyncio\.create_subprocess", re.MULTILINE
)
IMPORTED = re.compile(r"^(?:from|import) (tests[\w.]+)", re.MULTILINE)


@cache
def starts_programs(path: Path) -> bool:
    """Return whether a module of the tests, one that it imports, or the conftest.py of a folder above it starts
    programs."""
    text = path.read_text(encoding="utf-8")
    if STARTS_ONE.search(text):
        return True
    files = [TESTS.parent.joinpath(*name.split(".")).with_suffix(".py") for name in IMPORTED.findall(text)]
    if path.name.startswith("test_"):
        files += [folder / "conftest.py" for folder in path.parents if folder.is_relative_to(TESTS)]
    return any(starts_programs(file) for file in files if file.exists())
