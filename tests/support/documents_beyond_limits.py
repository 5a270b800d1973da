"""What a document has of each thing that is limited, and which limit it is beyond."""

from __future__ import annotations

from dataclasses import replace

from graphql import parse

from engine import TooComplex
from gateway.limits import DocumentLimits, check_document
from tests.support.settings_for_tests import DOCUMENT_LIMITS

ANYTHING = DocumentLimits(*[10**12] * len(DocumentLimits.__slots__))


def beyond(text: str, limits: DocumentLimits = DOCUMENT_LIMITS) -> tuple[str, int] | None:
    """Return the limit that a document is beyond, and what it has."""
    try:
        check_document(parse(text), limits)
    except TooComplex as error:
        return error.limit, error.value
    return None


def has(text: str, **limit: int) -> int:
    """Return what a document has of something: with one less it is refused, and with that it is not."""
    ((name, _),) = limit.items()
    found = beyond(text, replace(ANYTHING, **limit))
    assert found is not None
    assert found[0] == name
    assert beyond(text, replace(ANYTHING, **{name: found[1] - 1})) == found
    assert beyond(text, replace(ANYTHING, **{name: found[1]})) is None
    return found[1]
