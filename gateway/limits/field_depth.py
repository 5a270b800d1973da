"""Depth: how many fields are in one another. Each level may multiply what an answer has."""

from __future__ import annotations

from graphql import FieldNode

from engine import TooComplex
from gateway.limits.document_tree import Definition, Tree


def check_depth(tree: Tree, most: int) -> None:
    """Let a document pass in which at most so many fields are in one another.

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
