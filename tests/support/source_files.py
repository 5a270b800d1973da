"""Provides what Python files have, for the tests that read the code of the project. Each file is parsed once for all of
them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MADE_BY_COMMANDS = {"node_modules", "gateway_client", "__pycache__"}
"""The folders of the project that commands fill, besides those whose names begin with a dot. ``gateway_client`` is the
client that an example makes from the schema."""


@cache
def python_files() -> tuple[Path, ...]:
    """Return the Python files of the project in the order of their paths, without those that commands have made."""
    found: list[Path] = []
    for folder, folders, files in os.walk(ROOT):
        # What commands have made is not entered: its thousands of files would take longer than all others.
        folders[:] = [name for name in folders if not name.startswith(".") and name not in MADE_BY_COMMANDS]
        found += [Path(folder, name) for name in files if name.endswith(".py")]
    return tuple(sorted(found))


@dataclass
class SourceFile:
    """What the tests want to know of a file. Nobody changes it."""

    classes: list[tuple[str, int]] = field(default_factory=list)
    """The classes, also those inside others and inside functions, each with its lines."""
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    """All imports, wherever they stand."""
    docstrings: list[tuple[int, str, bool]] = field(default_factory=list)
    """The docstrings, each with its line, and whether it is that of a function that is no test."""


@cache
def source_file(path: Path) -> SourceFile:
    found = SourceFile()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            found.classes.append((node.name, _lines_of(node)))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.imports.append(node)
        found.docstrings += _docstrings_in(node)
    return found


def _statements(module: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and all its statements, those inside others too, but none of their expressions."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            each
            for each in ast.iter_child_nodes(node)
            if isinstance(each, ast.stmt | ast.excepthandler | ast.match_case)
        ]


def _lines_of(node: ast.ClassDef) -> int:
    """Count the lines of a class, with its decorators."""
    assert node.end_lineno is not None
    return node.end_lineno + 1 - min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _docstrings_in(node: ast.AST) -> Iterator[tuple[int, str, bool]]:
    body = getattr(node, "body", None)
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for number, each in enumerate(body if isinstance(body, list) else []):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
            text = each.value.value
            if isinstance(text, str) and text.split() and not (is_function and number):
                yield each.lineno, text, is_function and not getattr(node, "name", "").startswith("test_")
