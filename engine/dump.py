"""A plan in a form that people can read: its places with where their values come from, and the generated source."""

from __future__ import annotations

from collections.abc import Iterator

from engine.places import Column, Place, Shape


def dump(root: Place, deepest: int = 8) -> str:
    """The plan behind ``root``; what is below an abstract type for each type that it can have."""
    return "\n".join([*_lines(root, "", deepest), ""])


def _lines(place: Place, indent: str, deepest: int) -> Iterator[str]:
    yield f"{indent}{place.type.name} with {', '.join(place.keys)}"
    for column in place.columns:
        yield f"{indent}  {column.key}: {column.source}{_to(column)}"
    for line in place.source.splitlines():
        yield f"{indent}  | {line}"
    for column in place.columns:
        if column.selection is None:
            continue
        if deepest == 0:
            yield f"{indent}  ... below {column.key}"
            continue
        for type_ in column.selection.types.possible():
            yield f"{indent}  {column.key}:"
            yield from _lines(column.selection.place(type_), f"{indent}    ", deepest - 1)


def _to(column: Column) -> str:
    if column.selection is None:
        return ", a leaf"
    return f", to {_shown(column.selection.shape, column.selection.types.declared.name)}"


def _shown(shape: Shape, name: str) -> str:
    inner = name if shape.item is None else f"[{_shown(shape.item, name)}]"
    return inner if shape.nullable else f"{inner}!"
