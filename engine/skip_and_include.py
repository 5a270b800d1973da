"""Finds the variables of ``@skip`` and ``@include`` in an operation.

It also refuses operations that the engine does not run.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    VariableNode,
)

from engine.fallback_reasons import Fallback

_CONDITIONS = ("skip", "include")
_INTROSPECTION = ("__schema", "__type")


def condition_variables(
    operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """Return the variables in ``@skip`` and ``@include``, which decide which fields there are.

    :raises Fallback: the operation is none that the engine runs.
    """
    if operation.operation is not OperationType.QUERY:
        raise Fallback("operation")
    names: dict[str, None] = {}
    _check(operation.directives, names)
    for definition in operation.variable_definitions or ():
        _check(definition.directives, names)
    for selection in _selections(operation, fragments, set()):
        if isinstance(selection, FieldNode) and selection.name.value in _INTROSPECTION:
            raise Fallback("introspection")
        _check(selection.directives, names)
    return tuple(names)


def _selections(
    parent: OperationDefinitionNode | FragmentDefinitionNode | FieldNode | SelectionNode,
    fragments: dict[str, FragmentDefinitionNode],
    visited: set[str],
) -> Iterator[SelectionNode]:
    selection_set = getattr(parent, "selection_set", None)
    for selection in selection_set.selections if selection_set else ():
        yield selection
        if not isinstance(selection, FragmentSpreadNode):
            yield from _selections(selection, fragments, visited)
        elif selection.name.value not in visited:
            visited.add(selection.name.value)
            fragment = fragments[selection.name.value]
            if fragment.directives:
                raise Fallback("directive")
            yield from _selections(fragment, fragments, visited)


def _check(directives: tuple[DirectiveNode, ...] | None, names: dict[str, None]) -> None:
    for directive in directives or ():
        if directive.name.value not in _CONDITIONS:
            raise Fallback("directive")
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                names[argument.value.name.value] = None
