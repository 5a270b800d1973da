"""Limits root fields, each of which is a lookup, a list or a search of its own."""

from __future__ import annotations

from graphql import FieldNode

from engine import TooComplex
from gateway.limits.document_limits import MAX_SAID
from gateway.limits.document_tree import Definition, Tree


def check_root_fields(tree: Tree, most: int) -> None:
    """Check that each operation of a document has at most ``most`` root fields.

    :raises TooComplex: one has more.
    """
    counts: dict[Definition, int] = {}
    for definition in tree.definitions:
        counts[definition] = sum(
            counts[fragment] if fragment else isinstance(node, FieldNode)
            for level, node, fragment in definition.selections
            if level == 0
        )
    operations = (counts[definition] for definition in tree.definitions if definition.is_operation)
    count = min(max(operations, default=0), MAX_SAID)
    if count > most:
        sentence = f"An operation has {count:,} root fields, fragments included; {most:,} are allowed."
        raise TooComplex(sentence, "root_fields", most, count)
