"""Definitions: operations and fragments. Validation compares fragments spread at one place each with each."""

from __future__ import annotations

from graphql import DocumentNode

from engine import TooComplex


def check_definitions(document: DocumentNode, most: int) -> None:
    """Let a document pass of at most so many operations and fragments.

    :raises TooComplex: it has more.
    """
    count = len(document.definitions)
    if count > most:
        sentence = f"The document has {count:,} operations and fragments; {most:,} are allowed."
        raise TooComplex(sentence, "definitions", most, count)
