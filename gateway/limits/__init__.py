"""Limits how large and how complex a document may be: one limit in each file, checked before the document is
validated.

Validation compares and looks up what a document selects, at a cost that can grow with the square of its size: 2,000
repeats of one field took 2 s. With the defaults the worst document that was found takes less than 100 ms. The checks
themselves are linear in the text, or in the selections that are allowed. A fragment counts wherever it is spread, by
one number for each fragment, so that a fragment that multiplies itself is counted without being walked.

``gateway.cost`` limits how large an answer may be. Limits on other things, such as variables, raise
:class:`~engine.TooComplex` with names of their own, and look the same to clients.
"""

from __future__ import annotations

from graphql import DocumentNode

from gateway.limits.alias_count import check_aliases
from gateway.limits.definition_count import check_definitions
from gateway.limits.document_limits import DocumentLimits
from gateway.limits.document_tree import read_tree
from gateway.limits.field_depth import check_depth
from gateway.limits.repeated_fields import check_repeated_fields
from gateway.limits.root_field_count import check_root_fields
from gateway.limits.selection_count import check_selections
from gateway.limits.text_bytes import check_bytes
from gateway.limits.text_tokens import check_tokens


def check_text(text: str, limits: DocumentLimits) -> int:
    """Check a text before it is parsed, and return the number of its tokens.

    :raises TooComplex: it may not.
    """
    check_bytes(text, limits.bytes)
    return check_tokens(text, limits.tokens)


def check_document(document: DocumentNode, limits: DocumentLimits) -> None:
    """Check a parsed document before it is validated.

    :raises TooComplex: it may not.
    """
    check_definitions(document, limits.definitions)
    tree = read_tree(document)
    check_depth(tree, limits.depth)
    check_selections(tree, limits.selections)
    check_aliases(tree, limits.aliases)
    check_root_fields(tree, limits.root_fields)
    # This check is the last one, because it walks all selections, with the fragments in each place.
    check_repeated_fields(tree, limits.repeated_fields)


__all__ = ["DocumentLimits", "check_bytes", "check_document", "check_text"]
