"""Holds the document of one request, which was found by its text or by the shape of its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.cost import CostPredictor
from schema import Document


class LiteralsOfText(msgspec.Struct, frozen=True, eq=False):
    """Holds what belongs to one text, if the document is for all texts of its shape."""

    values: Mapping[str, Any]
    """The values of the variables that take the places of the literals."""
    ends: Sequence[int]
    """The positions in the text where its literals end."""
    whole: Document | None = None
    """The document with its own literals, if it was read for this request."""


class RequestDocument(msgspec.Struct, frozen=True, eq=False):
    """Holds a document as it was found for one request."""

    document: Document
    text: str
    """What its plans are cached by: its text, or the shape of its text."""
    formulas: Mapping[str | None, CostPredictor]
    """The predictors of its operations by their names; that of a sole operation by ``None`` too."""
    literals: LiteralsOfText | None = None
    """The literals of its text, if the document is for all texts of a shape."""
    has_waited: bool = False
    """Whether the request has waited for a turn in which the document was read, so that it need not wait again."""
