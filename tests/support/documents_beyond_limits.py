"""Provides what a document has of each thing that is limited, and which limit it is beyond."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from graphql import DocumentNode, parse

from engine import TooComplex
from gateway.limits import DocumentLimits, check_document
from tests.support.settings_for_tests import DOCUMENT_LIMITS

ANYTHING = DocumentLimits(*[10**12] * len(DocumentLimits.__slots__))


def beyond(text: str, limits: DocumentLimits = DOCUMENT_LIMITS) -> tuple[str, int] | None:
    """Return the limit that a document is beyond, and what it has."""
    return _beyond(_parsed(text), limits)


def has(text: str, **limit: int) -> int:
    """Return what a document has of something: with one less it is refused, and with that it is not."""
    ((name, _),) = limit.items()
    document = _parsed(text)
    found = _beyond(document, replace(ANYTHING, **limit))
    assert found is not None
    assert found[0] == name
    assert _beyond(document, replace(ANYTHING, **{name: found[1] - 1})) == found
    assert _beyond(document, replace(ANYTHING, **{name: found[1]})) is None
    return found[1]


@lru_cache(maxsize=1)
def _parsed(text: str) -> DocumentNode:
    return parse(text)


def _beyond(document: DocumentNode, limits: DocumentLimits) -> tuple[str, int] | None:
    try:
        check_document(document, limits)
    except TooComplex as error:
        return error.limit, error.value
    return None
