"""How large and how involved a document may be: one file a limit, each checked before the document is validated.

Validation compares and looks up what a document selects, at a cost that grows with the square of some of it; 2,000
repeats of one field took it 2 s. With the defaults the worst document found takes it less than 100 ms, and the checks
themselves are linear: in the text, or in the selections that are allowed. A fragment counts wherever it is spread, by
numbers kept for each fragment, so that one that multiplies itself is counted and not walked.

A limit on something else of an operation, its variables say, raises :class:`~resolvers.errors.TooComplex` with a
name of its own: clients see it like these.
"""

from __future__ import annotations

from graphql import DocumentNode

from resolvers.list_sizes import USUAL_SIZES, ListSizes
from web.limits.aliases import check_aliases
from web.limits.definitions import check_definitions
from web.limits.depth import check_depth
from web.limits.limits import DEFAULT_LIMITS, Limits
from web.limits.repeated_fields import check_repeated_fields
from web.limits.root_fields import check_root_fields
from web.limits.selections import check_selections
from web.limits.size import check_bytes
from web.limits.tokens import check_tokens
from web.limits.tree import read_tree
from web.limits.values import check_values


def check_text(text: str, limits: Limits) -> int:
    """The number of tokens in a text that may be parsed.

    :raises TooComplex: it may not.
    """
    check_bytes(text, limits.bytes)
    return check_tokens(text, limits.tokens)


def check_document(document: DocumentNode, limits: Limits, sizes: ListSizes = USUAL_SIZES) -> None:
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


def check_sizes(document: DocumentNode, limits: Limits, sizes: ListSizes) -> None:
    """Let a document pass, accepted over another catalog, that may be answered from one with these sizes.

    :raises TooComplex: it may not.
    """
    check_values(read_tree(document), limits.values, sizes)


__all__ = ["DEFAULT_LIMITS", "Limits", "check_document", "check_sizes", "check_text"]
