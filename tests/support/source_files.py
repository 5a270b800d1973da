"""Provides what Python files have, for the tests that read the code of the project. Each file is read once for all of
them."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MADE_BY_COMMANDS = {"node_modules", "gateway_client", "__pycache__"}
"""The folders of the project that commands fill, besides those whose names begin with a dot. ``gateway_client`` is the
client that an example makes from the schema."""

_CLASS = re.compile(r"^ *class (\w+)[(:\[]", re.MULTILINE)
_IMPORT = re.compile(
    r"^ *(from [\w.]+ import (?:\((?:[^)#]|#.*)*\)|[^(\n].*)|import [\w.]+(?: as \w+)?(?:, .+)?) *(?:#.*)?$",
    re.MULTILINE,
)


@cache
def python_files() -> tuple[Path, ...]:
    """Return the Python files of the project in the order of their paths, without those that commands have made."""
    found: list[Path] = []
    for folder, folders, files in os.walk(ROOT):
        # What commands have made is not entered: its thousands of files would take longer than all others.
        folders[:] = [name for name in folders if not name.startswith(".") and name not in MADE_BY_COMMANDS]
        found += [Path(folder, name) for name in files if name.endswith(".py")]
    return tuple(sorted(found))


class SourceFile:
    """Knows what the tests want to know of a file. Nobody changes it.

    To parse all files takes longer than most tests together, so the parser sees only what must be parsed. What is read
    by patterns begins a line, as the formatter has it.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def class_names(self) -> list[str]:
        """Return the names of the classes, also of those inside others and inside functions."""
        return _CLASS.findall(self.text)

    @cached_property
    def lines_from_first_class(self) -> int:
        """Count the lines from the first class on, with what decorates it. None of the classes has more."""
        first = _CLASS.search(self.text)
        # No blank line stands in between.
        return self.text.count("\n", self.text.rfind("\n\n", 0, first.start()) + 1) if first else 0

    @cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """Return all imports, wherever they stand."""
        lines = "\n".join(_IMPORT.findall(self.text))
        return [node for node in ast.parse(lines).body if isinstance(node, ast.Import | ast.ImportFrom)]

    def statements(self) -> Iterator[ast.AST]:
        """Yield the module and all its statements, those inside others too, as the parser finds them."""
        return _statements(ast.parse(self.text))

    def class_lengths(self) -> list[tuple[str, int]]:
        """Return the classes, also those inside others and inside functions, each with its lines."""
        return [(node.name, _lines_of(node)) for node in self.statements() if isinstance(node, ast.ClassDef)]

    def docstrings(self) -> list[tuple[int, str, bool]]:
        """Return the docstrings, each with its line, and whether it is that of a function that is no test."""
        return [found for node in self.statements() for found in _docstrings_in(node)]


@cache
def source_file(path: Path) -> SourceFile:
    return SourceFile(path.read_text(encoding="utf-8"))


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
