"""Prints a plan for people: its plan nodes, where their values come from, and the generated source."""

from __future__ import annotations

from collections.abc import Iterator

from engine.code_generation import source_of
from engine.plan_nodes import Column, Plan, PlanNode, Shape


def dump(plan: Plan, deepest: int = 8) -> str:
    """Return the plan as text. What is below an abstract type is shown for each type that it can have."""
    return "\n".join([*_lines(plan.root, "", deepest), ""])


def _lines(node: PlanNode, indent: str, deepest: int) -> Iterator[str]:
    yield f"{indent}{node.type.name} with {', '.join(node.keys)}"
    for column in node.columns:
        yield f"{indent}  {column.key}: {column.source}{_to(column)}"
    for line in source_of(node.build).splitlines():
        yield f"{indent}  | {line}"
    for column in node.columns:
        if column.selection is None:
            continue
        if deepest == 0:
            yield f"{indent}  ... below {column.key}"
            continue
        for node_below in column.selection.node_of.values():
            yield f"{indent}  {column.key}:"
            yield from _lines(node_below, f"{indent}    ", deepest - 1)


def _to(column: Column) -> str:
    if column.selection is None:
        return ", a leaf"
    return f", to {_shown(column.selection.shape, column.selection.declared.name)}"


def _shown(shape: Shape, name: str) -> str:
    inner = name if shape.item is None else f"[{_shown(shape.item, name)}]"
    return inner if shape.nullable else f"{inner}!"
