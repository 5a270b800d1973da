"""Generates the Python function that makes the answers of one plan node.

Nothing of a request gets into the source. Its names are those of the schema: of types, of fields, and of attributes
of Python's classes, each followed by a number, so that none means something else. Everything else is passed as
values, including the keys of the answer.

The source of a function is in ``linecache`` for as long as a plan has the function, so that tracebacks and debuggers
show it.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from keyword import iskeyword
from types import CodeType, FunctionType
from typing import Any
from weakref import WeakValueDictionary, finalize

import msgspec
from graphql import GraphQLObjectType, Node, is_leaf_type, is_non_null_type

from engine.leaf_values import PLAIN_NAMES, converter, plain_test

Build = Callable[..., list[Any]]
"""Makes the answers for objects from these objects and the values of the columns."""


class BuildSource:
    """Collects the lines of one function, field by field in the order of the answer.

    ``name`` is that of a field or attribute in the schema, ``key`` the request's.
    """

    def __init__(self, type_: GraphQLObjectType) -> None:
        self._type = type_.name
        self._keys: list[str] = []
        self._values: list[str] = []
        self._lines: list[str] = []
        self._parameters: list[str] = []
        self._zipped: list[str] = []
        """The variables that take one value of a parameter for each object."""
        self._globals: dict[str, Any] = dict(PLAIN_NAMES)

    def constant(self, key: str, name: str, value: str) -> None:
        """Add a field that is the same for every object."""
        variable = self._variable(name)
        self._globals[variable] = value
        self._add(key, variable)

    def attribute(self, key: str, type_: Any, name: str, nodes: Sequence[Node]) -> None:
        """Add a leaf that is an attribute of the object. ``nodes`` are those of the field."""
        variable = self._variable(name)
        self._lines.append(f"        {variable} = parent.{_attribute(name)}")
        self._leaf(key, type_, variable, nodes)

    def column(self, key: str, name: str) -> None:
        """Add a field whose answers are ready, one for each object."""
        self._add(key, self._column(name))

    def column_by_key(self, key: str, name: str, attribute: str) -> None:
        """Add a field whose answers are ready, found by an attribute of the object."""
        parameter = f"{self._variable(name)}_by_key"
        self._parameters.append(parameter)
        self._add(key, f"{parameter}[parent.{_attribute(attribute)}]")

    def column_of_leaves(self, key: str, type_: Any, name: str, nodes: Sequence[Node]) -> None:
        """Add a leaf whose values are given."""
        self._leaf(key, type_, self._column(name), nodes)

    def function(self) -> Build:
        """Make the function."""
        columns = [f"{variable}_column" for variable in self._zipped]
        if columns:
            each = f"{', '.join(['parent', *self._zipped])} in zip({', '.join(['parents', *columns])}, strict=True)"
        else:
            each = "parent in parents"
        lines = [
            f"def build_{self._type}({', '.join(['parents', *self._parameters])}):",
            "    answers = []",
            f"    for {each}:",
            *self._lines,
            f"        answers.append(Answer({', '.join(self._values)}))",
            "    return answers",
        ]
        self._globals["Answer"] = answer_class(tuple(self._keys))
        return FunctionType(_compiled("\n".join(lines) + "\n", self._type), self._globals)

    def _leaf(self, key: str, type_: Any, variable: str, nodes: Sequence[Node]) -> None:
        inner = type_.of_type if is_non_null_type(type_) else type_
        test = plain_test(inner, variable) if is_leaf_type(inner) else None
        complete, nodes_of = f"complete_{variable}", f"nodes_{variable}"
        self._globals[complete], self._globals[nodes_of] = converter(type_), nodes
        conditions = [] if is_non_null_type(type_) else [f"{variable} is not None"]
        if test is not None:
            conditions.append(f"not ({test})")
        indent = "        "
        if conditions:
            self._lines.append(f"{indent}if {' and '.join(conditions)}:")
            indent += "    "
        self._lines.append(f"{indent}{variable} = {complete}({variable}, {nodes_of})")
        self._add(key, variable)

    def _column(self, name: str) -> str:
        variable = self._variable(name)
        self._zipped.append(variable)
        self._parameters.append(f"{variable}_column")
        return variable

    def _variable(self, name: str) -> str:
        # The name differs from all others, because no fixed name ends with a number, and this one is taken once.
        return f"{_checked(name)}_{len(self._keys)}"

    def _add(self, key: str, value: str) -> None:
        self._keys.append(key)
        self._values.append(value)


def source_of(build: Build) -> str:
    """Return the source of a generated function."""
    return "".join(linecache.getlines(build.__code__.co_filename))


@lru_cache(maxsize=1024)
def answer_class(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return a class whose instances become JSON objects with these keys. They are made and encoded faster than
    dicts."""
    names = [f"f{number}" for number in range(len(keys))]
    renamed = dict(zip(names, keys, strict=True))
    return msgspec.defstruct("Answer", names, rename=renamed, gc=False, eq=False)


def _compiled(source: str, type_name: str) -> CodeType:
    """Return the code of a function, compiled once for all plans that need it while there are any."""
    code = CODE_OF_SOURCE.get(source)
    if code is None:
        filename = f"<engine: {type_name} {next(_numbers)}>"
        (code,) = [each for each in compile(source, filename, "exec").co_consts if isinstance(each, CodeType)]
        CODE_OF_SOURCE[source] = code
        linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
        finalize(code, linecache.cache.pop, filename, None).atexit = False
    return code


CODE_OF_SOURCE: WeakValueDictionary[str, CodeType] = WeakValueDictionary()
"""The code that plans need, because different operations often need the same."""

_numbers = count(1)


def _checked(name: str) -> str:
    # This is a name of the schema or of its Python code, and never one of a request.
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name in Python")
    return name


def _attribute(name: str) -> str:
    if iskeyword(name):
        raise ValueError(f"{name!r} is a keyword of Python, and no attribute")
    return _checked(name)
