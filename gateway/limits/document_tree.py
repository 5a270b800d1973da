"""Shows a parsed document as the limits need it: what each definition selects, and which fragment each spread means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)


class Selected(NamedTuple):
    """Describes a selection at any depth of a definition."""

    level: int
    """How many fields of the definition enclose it."""
    node: SelectionNode
    fragment: Definition | None
    """The fragment that it spreads, if it is a spread."""


@dataclass(slots=True, eq=False)
class Definition:
    """Describes an operation or a fragment, with its selections but without those of the fragments that it spreads."""

    node: OperationDefinitionNode | FragmentDefinitionNode
    selections: list[Selected] = field(default_factory=list)

    @property
    def is_operation(self) -> bool:
        """Return whether it is an operation."""
        return isinstance(self.node, OperationDefinitionNode)


@dataclass(frozen=True, slots=True)
class Tree:
    """Holds the definitions of a document."""

    definitions: list[Definition]
    """The definitions, each after the fragments that it spreads."""
    roots: list[Definition]
    """The operations, and fragments that none of them spreads: validation reads those as well."""
    fragments: dict[int, Definition]
    """The fragment of each spread, by the ``id`` of its node."""


def read_tree(document: DocumentNode) -> Tree:
    """Return the tree of a document.

    A spread of an unknown fragment, or back into the fragment that it is in, spreads nothing: validation refuses both.
    """
    operations: list[Definition] = []
    fragments: dict[str, Definition] = {}
    repeated: list[Definition] = []
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            operations.append(Definition(each))
        elif isinstance(each, FragmentDefinitionNode):
            # If several have one name, validation looks at the last, and at the others by themselves.
            if each.name.value in fragments:
                repeated.append(fragments[each.name.value])
            fragments[each.name.value] = Definition(each)
    tree = Tree([], [], {})
    entered: set[Definition] = set()
    left: set[Definition] = set()
    for root in (*operations, *fragments.values(), *repeated):
        if root in entered:
            continue
        tree.roots.append(root)
        entered.add(root)
        # A list replaces recursion, because a chain of fragments can be longer than Python's stack.
        under_way = [(root, _selections(root.node.selection_set))]
        while under_way:
            definition, selections = under_way[-1]
            for level, node in selections:
                fragment = fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else None
                if fragment in entered and fragment not in left:
                    fragment = None
                definition.selections.append(Selected(level, node, fragment))
                if fragment is None:
                    continue
                tree.fragments[id(node)] = fragment
                if fragment not in entered:
                    entered.add(fragment)
                    under_way.append((fragment, _selections(fragment.node.selection_set)))
                    break
            else:
                left.add(definition)
                tree.definitions.append(definition)
                under_way.pop()
    return tree


def _selections(selection_set: SelectionSetNode) -> Iterator[tuple[int, SelectionNode]]:
    under_way = [(0, iter(selection_set.selections))]
    while under_way:
        level, selections = under_way[-1]
        for node in selections:
            yield level, node
            inner: SelectionSetNode | None = getattr(node, "selection_set", None)
            if inner is not None:
                under_way.append((level + isinstance(node, FieldNode), iter(inner.selections)))
                break
        else:
            under_way.pop()
