"""Limits definitions: operations and fragments. Validation compares every two fragments that are spread at one
place."""

from __future__ import annotations

from graphql import DocumentNode

from engine import TooComplex


def check_definitions(document: DocumentNode, most: int) -> None:
    """Check that a document has at most ``most`` operations and fragments.

    :raises TooComplex: it has more.
    """
    count = len(document.definitions)
    if count > most:
        sentence = f"The document has {count:,} operations and fragments; {most:,} are allowed."
        raise TooComplex(sentence, "definitions", most, count)
