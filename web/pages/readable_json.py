"""Writes JSON for people: indented, but a list or object of plain values stays on one line."""

from __future__ import annotations

import msgspec


def readable(value: object, indent: str = "") -> str:
    """Return decoded JSON as text; ``indent`` is that of the line on which it begins."""
    deeper = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{_plain(name)}: {readable(each, deeper)}" for name, each in value.items()]
        return _joined("{", "}", parts, list(value.values()), indent)
    if isinstance(value, list):
        return _joined("[", "]", [readable(each, deeper) for each in value], value, indent)
    return _plain(value)


def _joined(begin: str, end: str, parts: list[str], values: list[object], indent: str) -> str:
    if not any(isinstance(each, (dict, list)) for each in values):
        return f"{begin}{', '.join(parts)}{end}"
    lines = ",\n".join(f"{indent}  {part}" for part in parts)
    return f"{begin}\n{lines}\n{indent}{end}"


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode()
