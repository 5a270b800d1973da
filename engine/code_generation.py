"""Generates ``build``, the Python function that makes the answers of one plan node.

Nothing of a request gets into the source: its names are counted (``v0``, ``c1``), attributes are those of the
schema's Python classes, and all else, the keys of the answer too, is passed as values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from keyword import iskeyword
from types import CodeType
from typing import Any

import msgspec
from graphql import Node, is_leaf_type, is_non_null_type

from engine.leaf_values import PLAIN_NAMES, converter, plain_test


class BuildSource:
    """Collects the lines of one function, field by field in the order of the answer."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._values: list[str] = []
        self._lines: list[str] = []
        self._columns: list[str] = []
        self._by_key: list[str] = []
        self._names: dict[str, Any] = dict(PLAIN_NAMES)

    def constant(self, key: str, value: str) -> None:
        """A field that is the same for every object."""
        self._add(key, self._named("k", value))

    def attribute(self, key: str, type_: Any, name: str, nodes: Sequence[Node]) -> None:
        """A leaf that is an attribute of the object. ``nodes`` are those of the field."""
        self._leaf(key, type_, f"x.{_checked(name)}", nodes)

    def column(self, key: str, by: str | None = None) -> None:
        """A field whose answers are ready; ``by`` is the attribute they are found by, if not one is there for each."""
        name = f"c{len(self._columns) + len(self._by_key)}"
        if by is None:
            self._columns.append(name)
            self._add(key, name)
        else:
            self._by_key.append(name)
            self._add(key, f"{name}s[x.{_checked(by)}]")

    def column_of_leaves(self, key: str, type_: Any, nodes: Sequence[Node]) -> None:
        """A leaf whose values are given."""
        name = f"c{len(self._columns) + len(self._by_key)}"
        self._columns.append(name)
        self._leaf(key, type_, name, nodes)

    def function(self) -> tuple[Callable[..., list[Any]], str]:
        """The function ``build(objects, *columns)``, and its source."""
        names = self._names | {"Answer": answer_class(tuple(self._keys))}
        lists = [f"{name}s" for name in self._columns]
        given = sorted([*lists, *(f"{name}s" for name in self._by_key)], key=lambda name: int(name[1:-1]))
        if lists:
            loop = f"    for {', '.join(['x', *self._columns])} in zip({', '.join(['xs', *lists])}, strict=True):"
        else:
            loop = "    for x in xs:"
        lines = [
            f"def build({', '.join(['xs', *given])}):",
            "    answers = []",
            loop,
            *self._lines,
            f"        answers.append(Answer({', '.join(self._values)}))",
            "    return answers",
        ]
        source = "\n".join(lines) + "\n"
        exec(compiled(source), names)  # what is in the source says the head of this file
        build: Callable[..., list[Any]] = names["build"]
        return build, source

    def _leaf(self, key: str, type_: Any, expression: str, nodes: Sequence[Node]) -> None:
        name = f"v{len(self._keys)}"
        inner = type_.of_type if is_non_null_type(type_) else type_
        test = plain_test(inner, name) if is_leaf_type(inner) else None
        convert = self._named("to", converter(type_, nodes))
        conditions = [] if is_non_null_type(type_) else [f"{name} is not None"]
        if test is not None:
            conditions.append(f"not ({test})")
        self._lines.append(f"        {name} = {expression}")
        if conditions:
            self._lines.append(f"        if {' and '.join(conditions)}:")
            self._lines.append(f"            {name} = {convert}({name})")
        else:
            self._lines.append(f"        {name} = {convert}({name})")
        self._add(key, name)

    def _named(self, prefix: str, value: object) -> str:
        name = f"{prefix}{len(self._names)}"
        self._names[name] = value
        return name

    def _add(self, key: str, value: str) -> None:
        self._keys.append(key)
        self._values.append(value)


@lru_cache(maxsize=1024)
def answer_class(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """A class whose instances become JSON objects with these keys: made and encoded faster than dicts."""
    names = [f"f{number}" for number in range(len(keys))]
    renamed = dict(zip(names, keys, strict=True))
    return msgspec.defstruct("Answer", names, rename=renamed, gc=False, eq=False)


@lru_cache(maxsize=1024)
def compiled(source: str) -> CodeType:
    """The code of a source: different operations often need the same."""
    return compile(source, "<engine>", "exec")


def _checked(name: str) -> str:
    # A name of the schema's Python code; of a request there is none.
    if not name.isidentifier() or iskeyword(name):
        raise ValueError(f"{name!r} is no name in Python")
    return name
