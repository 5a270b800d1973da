"""Prints a plan for people: its plan nodes, where their values come from, and the generated source."""

from __future__ import annotations

from collections.abc import Iterator

from engine.code_generation import source_of
from engine.plan_nodes import Column, Plan, PlanNode, Shape


def dump(plan: Plan, deepest: int = 8) -> str:
    """Return the plan as text. The selections below an abstract type are shown for each possible type."""
    return "\n".join([*_lines(plan.root, "", deepest, with_source=True), ""])


def outline(plan: Plan, most: int, deepest: int = 8) -> list[str]:
    """Return the lines of the plan without the generated source, of up to ``most`` characters altogether. A document
    with long aliases in fragments has a plan of many megabytes as text."""
    lines: list[str] = []
    left = most
    for line in _lines(plan.root, "", deepest, with_source=False):
        left -= len(line)
        if left < 0:
            return [*lines, "..."]
        lines.append(line)
    return lines


def _lines(node: PlanNode, indent: str, deepest: int, *, with_source: bool) -> Iterator[str]:
    yield f"{indent}{node.type.name} with {', '.join(node.keys)}"
    for column in node.columns:
        yield f"{indent}  {column.key}: {column.source}{_to(column)}"
    for line in source_of(node.build).splitlines() if with_source else ():
        yield f"{indent}  | {line}"
    for column in node.columns:
        if column.selection is None:
            continue
        if deepest == 0:
            yield f"{indent}  ... below {column.key}"
            continue
        for node_below in column.selection.node_of.values():
            yield f"{indent}  {column.key}:"
            yield from _lines(node_below, f"{indent}    ", deepest - 1, with_source=with_source)


def _to(column: Column) -> str:
    if column.selection is None:
        return ", a leaf"
    return f", to {_shown(column.selection.shape, column.selection.declared.name)}"


def _shown(shape: Shape, name: str) -> str:
    inner = name if shape.item is None else f"[{_shown(shape.item, name)}]"
    return inner if shape.nullable else f"{inner}!"
