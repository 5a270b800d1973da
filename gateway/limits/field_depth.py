"""Limits depth: how many fields are nested. Each level may multiply the size of the answer."""

from __future__ import annotations

from graphql import FieldNode

from engine import TooComplex
from gateway.limits.document_tree import Definition, Tree


def check_depth(tree: Tree, most: int) -> None:
    """Check that at most ``most`` fields of a document are nested.

    :raises TooComplex: there are more.
    """
    depths: dict[Definition, int] = {}
    for definition in tree.definitions:
        depths[definition] = max(
            (
                level + (depths[fragment] if fragment else isinstance(node, FieldNode))
                for level, node, fragment in definition.selections
            ),
            default=0,
        )
    depth = max(depths.values(), default=0)
    if depth > most:
        sentence = (
            f"The document nests fields {depth:,} levels deep, fragments included; {most:,} are allowed."
        )
        raise TooComplex(sentence, "depth", most, depth)
