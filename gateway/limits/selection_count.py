"""Limits selections: fields and fragments, wherever they are spread. Each is compiled for each of its places."""

from __future__ import annotations

from engine import TooComplex
from gateway.limits.document_limits import MAX_SAID
from gateway.limits.document_tree import Definition, Tree


def check_selections(tree: Tree, most: int) -> None:
    """Check that a document has at most ``most`` selections.

    :raises TooComplex: it selects more.
    """
    counts: dict[Definition, int] = {}
    for definition in tree.definitions:
        counts[definition] = sum(
            1 + (counts[fragment] if fragment else 0) for _level, _node, fragment in definition.selections
        )
    count = min(sum(counts[root] for root in tree.roots), MAX_SAID)
    if count > most:
        sentence = (
            f"The document selects {count:,} fields and fragments (a fragment counts at each spread); "
            f"{most:,} are allowed."
        )
        raise TooComplex(sentence, "selections", most, count)
