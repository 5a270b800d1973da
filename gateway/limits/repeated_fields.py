"""Limits repeated fields: fields with one name at one place of the answer. Validation compares each pair of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from engine import TooComplex
from gateway.limits.document_tree import Tree


def check_repeated_fields(tree: Tree, most: int) -> None:
    """Check that at most ``most`` pairs of fields have one name at one place.

    Its selections have been counted before, so that they may be walked here, each fragment at each place.

    :raises TooComplex: there are more.
    """
    pairs = 0
    places = [[root.node.selection_set] for root in tree.roots]
    while places:
        by_name: defaultdict[str, list[FieldNode]] = defaultdict(list)
        for node in _fields(places.pop(), tree):
            by_name[(node.alias or node.name).value].append(node)
        for nodes in by_name.values():
            pairs += len(nodes) * (len(nodes) - 1) // 2
            inner = [node.selection_set for node in nodes if node.selection_set is not None]
            if inner:
                places.append(inner)
    if pairs > most:
        sentence = (
            f"The document repeats fields: {pairs:,} pairs of them have the same name at the same place in "
            "the answer; "
            f"{most:,} are allowed."
        )
        raise TooComplex(sentence, "repeated_fields", most, pairs)


def _fields(selection_sets: Iterable[SelectionSetNode], tree: Tree) -> Iterator[FieldNode]:
    """Yield the fields of one place from all that is selected there. A fragment that is spread twice counts once
    (spec, 6.3.2)."""
    spread = set()
    waiting = list(selection_sets)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                fragment = tree.fragments.get(id(node))
                if fragment is not None and fragment not in spread:
                    spread.add(fragment)
                    waiting.append(fragment.node.selection_set)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
