"""Locates the errors of fields in a text whose plan was compiled from another text of the same shape."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from graphql import GraphQLError, Source

from gateway.document_shapes import shaped


def located_in(text: str, ends: Sequence[int], errors: Sequence[GraphQLError]) -> list[GraphQLError]:
    """Return the errors with their positions in this text, whose literals end there."""
    source = Source(text)
    return [
        GraphQLError(
            error.message,
            source=source,
            positions=[_moved(position, _ends(error.source), ends) for position in error.positions],
            path=error.path,
            original_error=error.original_error,
            extensions=error.extensions,
        )
        if error.source and error.positions
        else error
        for error in errors
    ]


def _moved(position: int, ends: Sequence[int], other_ends: Sequence[int]) -> int:
    """Return a position behind the same literal in the other text. No position of an error is in a literal."""
    before = bisect_right(ends, position) - 1
    return position if before < 0 else position - ends[before] + other_ends[before]


@lru_cache(maxsize=8)
def _ends(text: Source) -> Sequence[int]:
    # An answer may have thousands of errors, all of them in one text.
    found = shaped(text.body)
    assert found is not None
    return found.ends
