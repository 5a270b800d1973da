"""Limits aliases, by which one field can be requested any number of times, each time with other arguments."""

from __future__ import annotations

from graphql import FieldNode

from engine import TooComplex
from gateway.limits.document_limits import MAX_SAID
from gateway.limits.document_tree import Definition, Tree


def check_aliases(tree: Tree, most: int) -> None:
    """Check that a document has at most ``most`` aliases.

    :raises TooComplex: it has more.
    """
    counts: dict[Definition, int] = {}
    for definition in tree.definitions:
        counts[definition] = sum(
            counts[fragment] if fragment else isinstance(node, FieldNode) and node.alias is not None
            for _level, node, fragment in definition.selections
        )
    count = min(sum(counts[root] for root in tree.roots), MAX_SAID)
    if count > most:
        sentence = (
            f"The document has {count:,} aliases (a fragment counts at each spread); {most:,} are allowed."
        )
        raise TooComplex(sentence, "aliases", most, count)
