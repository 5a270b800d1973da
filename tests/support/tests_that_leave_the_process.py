"""Finds the tests that leave the process: they start a program, or a server on a port, themselves or by a fixture."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

STARTERS = {"subprocess", "multiprocessing", "playwright", "uvicorn"}
"""The packages that start programs and servers."""

STARTING = {
    "create_subprocess_exec",
    "create_subprocess_shell",
    "create_server",
    "start_server",
    "getfixturevalue",
}
"""The functions of asyncio and of sockets that start programs and servers, and that of pytest which asks for a fixture
that is not known before, so that it may start one too."""

OURS = {"tests", "benchmarks"}
"""The packages whose functions are followed to what they call."""


def leaves_the_process(test: pytest.Function) -> bool:
    """Return whether the test, one of its fixtures, or a function of ours that they lead to starts something."""
    fixtures = test._fixtureinfo.name2fixturedefs.values()
    return _start_something((test.obj, *(each.func for known in fixtures for each in known[-1:])))


@cache
def _start_something(functions: tuple[Any, ...]) -> bool:
    """Answer for a test, with its fixtures, or for several that differ in their parameters alone."""
    waiting = list(functions)
    seen = set[object]()
    while waiting:
        function = inspect.unwrap(waiting.pop())
        function = getattr(function, "__func__", function)
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        starts, called = _look_at(function)
        if starts:
            return True
        waiting += called
    return False


@cache
def _look_at(function: FunctionType) -> tuple[bool, list[Any]]:
    """Return whether a function names what starts something, and the functions of ours that it names."""
    called: list[Any] = []
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if name in STARTING or _package(value) in STARTERS:
            return True, []
        called += _functions_of(value)
    return False, called


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _package(value: object) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return str(name).partition(".")[0]


def _functions_of(value: Any) -> Iterable[Any]:
    if _package(value) not in OURS:
        return ()
    return list(vars(value).values()) if inspect.isclass(value) else [value]
