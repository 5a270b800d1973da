"""Declares what a search finds: packages and grids, and upstream's own hits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from schema.grid import Grid
from schema.package import Package

SearchResult = Annotated[
    Package | Grid, strawberry.union("SearchResult", description="A package or a grid that a search found.")
]


@strawberry.type(
    description=(
        "A row of the search index of Django Packages, as its REST API returns it. The index is rebuilt "
        "from time to time, so a hit can be older than its record."
    )
)
class SearchHit:
    """Is resolved from :class:`upstream.client.v4_records.SearchHitRecord` (contract section 4)."""

    item_type: str = strawberry.field(description='The type of the record: "package" or "grid".')
    title: str = strawberry.field(
        description="The title, with shortcodes such as :rocket: turned into emoji."
    )
    description: str = strawberry.field(
        description="The description, with shortcodes turned into emoji. It can be empty."
    )
    slug: str = strawberry.field(description="The slug that the record had when it was indexed.")
    title_no_prefix: str = strawberry.field(
        description="The title unchanged; the site no longer strips a prefix."
    )
    slug_no_prefix: str = strawberry.field(
        description="The slug unchanged; the site no longer strips a prefix."
    )
    clean_title: str = strawberry.field(description="The title unchanged.")
    absolute_url: str = strawberry.field(description="The path of the record's page on the site.")
    category: str = strawberry.field(description="The title of the package's category. Empty for a grid.")
    participants: str = strawberry.field(
        description="The logins of contributors, separated by commas. Empty for a grid."
    )
    weight: int = strawberry.field(
        description="The weight for popularity and recency that the site adds to the relevance when it sorts hits."
    )
    score: int = strawberry.field(
        description="The site's score of the package, which does not depend on the query. Hits are not sorted by it."
    )
    usage: int = strawberry.field(
        description="The number of users of the site who say that they use the package."
    )
    repo_watchers: int = strawberry.field(description="The number of stars of the repository. 0 for a grid.")
    repo_forks: int = strawberry.field(description="The number of forks of the repository. 0 for a grid.")
    pypi_downloads: int = strawberry.field(description="The number of downloads from PyPI. 0 for a grid.")
    last_committed: datetime | None = strawberry.field(description="When the last commit was made.")
    last_released: datetime | None = strawberry.field(description="When the last release was made.")
    created: datetime = strawberry.field(description="When the row of the index was created, not the record.")
    modified: datetime = strawberry.field(
        description="When the row of the index was last changed, not the record."
    )
