"""Imports run downwards only: from room to room, and from part to part inside a room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.numbers_of_examples import share_of
from tests.support.source_files import ROOT, python_files, source_file

ROOMS = {
    "assistants",
    "web",
    "gateway",
    "schema",
    "engine",
    "resolvers",
    "catalog",
    "upstream",
    "caching",
    "sharing",
    "telemetry",
}

BELOW = {
    "server": {"cli", "wiring", "web", "settings", "telemetry"},
    "cli": {"wiring", "storage_wiring", *ROOMS, "setting_groups", "settings"},
    "wiring": {"setting_groups", "storage_wiring", *ROOMS, "settings"},
    "storage_wiring": {*ROOMS, "settings"},
    "setting_groups": {*ROOMS, "settings"},
    "web": {"gateway", "schema", "engine", "resolvers", "catalog", "upstream", "caching", "telemetry"},
    "assistants": {"gateway", "schema", "catalog"},
    "gateway": {"schema", "engine", "resolvers", "catalog", "upstream", "sharing", "caching", "telemetry"},
    "schema": {"resolvers", "engine", "catalog", "upstream"},
    "resolvers": {"engine", "catalog", "upstream", "caching", "telemetry"},
    "catalog": {"upstream", "sharing", "caching", "telemetry"},
    "upstream": {"sharing", "caching", "telemetry"},
    "sharing": set[str](),
    "engine": set[str](),
    "caching": set[str](),
    "settings": {"unknown_settings", "setting_declaration"},
    "setting_declaration": set[str](),
    "telemetry": set[str](),
    "unknown_settings": set[str](),
}
"""Each room, and the rooms that it may import."""

PARTS = {
    "web": [
        "app",
        "schema_endpoint",
        "graphql_endpoint",
        "catalog_files",
        "pages",
        "monitoring",
        "serving",
        "*",
    ],
    "gateway": [
        "gateway",
        "incremental_answers",
        "subscription_events",
        "answers_without_waiting",
        "request_preparation",
        "plan_explanation",
        "persisted",
        "document_cache",
        "limits",
        "*",
        "cost",
    ],
    "resolvers": [
        "*",
        "lists",
        "loading",
        "filters",
        "work_budget",
        "current_time",
        "cursor_codec",
        "client_errors",
    ],
    "catalog": ["export", "catalog_source", "sync", "storage", "history", "search", "*"],
    "upstream": ["batching", "client", "embedded"],
}
"""The parts of a room, files and folders, from the top down; ``*`` stands for the files that are not named."""

MAX_DEEP_IMPORTS = 30
"""From the inside of another room, past what its ``__init__`` offers."""

CLIMBS = set[tuple[str, str]]()
"""The imports that still run upwards. None may be added."""

CLIMBS_INSIDE_ROOMS = {
    ("web/websocket_endpoint.py", "web.serving.connection_and_websocket_limits.Connections"),
    ("resolvers/filters/filter_building.py", "resolvers.loading.request_context.Context"),
}
"""The same from part to part: a file, and the module that it imports."""

FILES = [path for path in python_files() if path.relative_to(ROOT).parts[0].removesuffix(".py") in BELOW]


def imported_modules(path: Path) -> Iterator[str]:
    folder = path.relative_to(ROOT).parent.parts
    for node in source_file(path).imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            source = node.module.split(".") if node.module else []
            if node.level:
                source = [*folder[: len(folder) - node.level + 1], *source]
            # What is imported may be a module itself.
            yield from (".".join([*source, alias.name]) for alias in node.names)


def part(room: str, module: str) -> int:
    """Return how far down in its room a module stands."""
    parts = PARTS[room]
    names = module.split(".")[1:]
    name = names[0] if names else "*"
    return parts.index(name) if name in parts else parts.index("*") if "*" in parts else -1


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def test_the_imports_that_are_compared_are_those_that_the_parser_finds() -> None:
    for path in share_of(FILES):
        file = source_file(path)
        parsed = [node for node in file.statements() if isinstance(node, ast.Import | ast.ImportFrom)]
        assert sorted(map(ast.dump, file.imports)) == sorted(map(ast.dump, parsed)), path


def test_a_room_imports_only_rooms_below_it() -> None:
    assert BELOW.keys() <= {room_of(path) for path in FILES}
    climbs = {
        (str(path.relative_to(ROOT)), above)
        for path in FILES
        for module in imported_modules(path)
        if (room := room_of(path)) in BELOW
        if (above := module.partition(".")[0]) in BELOW.keys() - {room} - BELOW[room]
    }
    assert climbs == CLIMBS


@pytest.mark.parametrize("room", PARTS)
def test_a_part_of_a_room_imports_only_parts_below_it(room: str) -> None:
    climbs = set[tuple[str, str]]()
    for path in FILES:
        if room_of(path) != room or path.name == "__init__.py":
            continue
        relative = path.relative_to(ROOT)
        own = part(room, ".".join(relative.with_suffix("").parts))
        climbs |= {
            (str(relative), imported)
            for imported in imported_modules(path)
            if imported.startswith(f"{room}.") and part(room, imported) < own
        }
    assert climbs == {climb for climb in CLIMBS_INSIDE_ROOMS if room_of(ROOT / climb[0]) == room}


def test_every_room_is_listed() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {
        path.stem for path in ROOT.glob("*.py")
    }
    assert rooms == BELOW.keys()


def test_no_test_file_imports_another() -> None:
    """What several of them share lies in ``tests/support``, apart from the tests."""
    files = [path for path in python_files() if path.relative_to(ROOT).parts[0] == "tests"]
    assert len(files) > 400
    imported = re.compile(r"^ *(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)
    assert [path.name for path in files if imported.search(source_file(path).text)] == []


def deep_imports(path: Path) -> Iterator[str]:
    """Yield the modules inside other rooms that a file imports from, past what those rooms offer."""
    own = path.relative_to(ROOT).parts[0]
    for node in source_file(path).imports:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            room = node.module.partition(".")[0]
            is_file = (ROOT / f"{node.module.replace('.', '/')}.py").exists()
            if room in {*ROOMS, "cli"} - {own} and is_file:
                yield node.module


def test_rooms_import_what_other_rooms_offer() -> None:
    deep = [f"{path.relative_to(ROOT)} {module}" for path in FILES for module in deep_imports(path)]
    assert len(deep) < MAX_DEEP_IMPORTS, deep


OFFERING = [
    path.parent
    for path in FILES
    if path.name == "__init__.py" and room_of(path) in ROOMS and "__all__" in source_file(path).text
]


@pytest.mark.parametrize("folder", OFFERING, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_offers_only_what_there_is(folder: Path) -> None:
    room = import_module(".".join(folder.relative_to(ROOT).parts))
    assert [name for name in room.__all__ if not hasattr(room, name)] == []
    assert len(set(room.__all__)) == len(room.__all__)
