"""How large and how involved a document may be: one file a limit, each checked before the document is validated.

Validation compares and looks up what a document selects, at a cost that grows with the square of some of it;
2,000 repeats of one field took it 2 s. With the defaults the worst document found takes it less than 100 ms, and
the checks themselves are linear: in the text, or in the selections that are allowed. A fragment counts wherever
it is spread, by numbers kept for each fragment, so that one that multiplies itself is counted and not walked.

A limit on something else of an operation, its variables say, raises :class:`~resolvers.client_errors.TooComplex`
with a name of its own: clients see it like these.
"""

from __future__ import annotations

from graphql import DocumentNode

from gateway.limits.alias_count import check_aliases
from gateway.limits.answer_values import check_values
from gateway.limits.definition_count import check_definitions
from gateway.limits.document_limits import DocumentLimits
from gateway.limits.document_tree import read_tree
from gateway.limits.field_depth import check_depth
from gateway.limits.repeated_fields import check_repeated_fields
from gateway.limits.root_field_count import check_root_fields
from gateway.limits.selection_count import check_selections
from gateway.limits.text_bytes import check_bytes
from gateway.limits.text_tokens import check_tokens
from resolvers.lists import USUAL_SIZES, ListSizes


def check_text(text: str, limits: DocumentLimits) -> int:
    """Return the number of tokens in a text that may be parsed.

    :raises TooComplex: it may not.
    """
    check_bytes(text, limits.bytes)
    return check_tokens(text, limits.tokens)


def check_document(document: DocumentNode, limits: DocumentLimits, sizes: ListSizes = USUAL_SIZES) -> None:
    """Let a parsed document pass that may be validated. ``sizes`` are those of the catalog that is to answer it.

    :raises TooComplex: it may not.
    """
    check_definitions(document, limits.definitions)
    tree = read_tree(document)
    check_depth(tree, limits.depth)
    check_selections(tree, limits.selections)
    check_aliases(tree, limits.aliases)
    check_root_fields(tree, limits.root_fields)
    check_values(tree, limits.values, sizes)
    # Last, because it walks all selections, with the fragments in each place.
    check_repeated_fields(tree, limits.repeated_fields)


def check_sizes(document: DocumentNode, limits: DocumentLimits, sizes: ListSizes) -> None:
    """Let a document pass, accepted over another catalog, that may be answered from one with these sizes.

    :raises TooComplex: it may not.
    """
    check_values(read_tree(document), limits.values, sizes)


__all__ = ["DocumentLimits", "check_bytes", "check_document", "check_sizes", "check_text"]
