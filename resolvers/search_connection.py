"""Declares the connection that a search returns: its results with their cursors, and the index that found them."""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

import strawberry

from resolvers.lists.pagination import PageInfo


@strawberry.enum(description="The index that answers a search.")
class SearchAnswerer(Enum):
    """Names the index in the answer and, hidden, in its cursors."""

    UPSTREAM = strawberry.enum_value("upstream", description="The search of Django Packages itself.")
    CATALOG = strawberry.enum_value(
        "catalog", description="The gateway's own full-text index over its catalog."
    )


N = TypeVar("N")
H = TypeVar("H")


@strawberry.type(description="A result of a search with its position.")
class SearchEdge(Generic[N, H]):
    """Holds a record, or the error of one that could not be loaded."""

    cursor: str = strawberry.field(
        description="The position, for `after`. It is valid for the same query and the same index."
    )
    node: N | None = strawberry.field(
        description="The record. Null, with an error, only if it could not be loaded."
    )
    score: float | None = strawberry.field(
        description=(
            "How well the record matches, if CATALOG answered. It is the bm25 score, in which a word counts "
            "ten times in the title, five times in the slug or PyPI name, and once in the description. That "
            "is multiplied by 1 + log10(1 + n) / 5, where n is the number of stars of a package, or of "
            "packages of a grid. It is doubled if the title or slug is the whole query. Compare scores only "
            "within one answer. Null if UPSTREAM answered, which sorts its hits but gives no score."
        )
    )
    hit: H | None = strawberry.field(
        description="Upstream's own row for the record. Null if CATALOG answered."
    )


@strawberry.type(description="A page of the results of a search, the best first.")
class SearchConnection(Generic[N, H]):
    """Holds a part of the results."""

    edges: list[SearchEdge[N, H]] = strawberry.field(
        description="The results of this page with their cursors."
    )
    nodes: list[N | None] = strawberry.field(description="The records of this page without cursors.")
    page_info: PageInfo = strawberry.field(
        description="Whether there are more results, and the cursors of this page. UPSTREAM gives at most "
        "20 results, however many match."
    )
    total_count: int | None = strawberry.field(
        description=(
            "The number of records that match. Null if UPSTREAM answered with 20 hits, because it does not "
            "say how many more match."
        )
    )
    answered_by: SearchAnswerer = strawberry.field(description="The index that answered.")
    reason: str = strawberry.field(description="The reason why this index answered, as a sentence.")
