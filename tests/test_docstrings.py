"""Docstrings are whole sentences that begin with a verb, or, of a value, with what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not any(
        part.startswith(".") or part in ("node_modules", "peers", "examples", "gateway_client")
        for part in path.relative_to(ROOT).parts
    )
]
FRAGMENTS = frozenset(["Of", "That", "Those", "Whose"])
"""The first words of what is no sentence."""
NO_VERBS = FRAGMENTS | {"A", "An", "How", "The", "What", "Whether", "Where", "Who", "Whoever", "Why"}
"""The first words of a docstring that says what a function is, and not what it does."""


def docstrings(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield each docstring with its line, and whether it is that of a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        body = getattr(node, "body", None)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for number, each in enumerate(body if isinstance(body, list) else []):
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                text = each.value.value
                if isinstance(text, str) and text.split() and not (is_function and number):
                    yield each.lineno, text, is_function and not getattr(node, "name", "").startswith("test_")


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[0] for path in FILES}))
def test_no_docstring_begins_in_the_middle(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text.strip()[:80]}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] == room
        for line, text, is_function in docstrings(path)
        if text.split()[0].strip(",.:;`") in (NO_VERBS if is_function else FRAGMENTS)
    ]
    assert wrong == []
