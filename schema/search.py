"""What a search finds: packages and grids, and upstream's own hits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from schema.grid import Grid
from schema.package import Package

SearchResult = Annotated[
    Package | Grid, strawberry.union("SearchResult", description="What a search finds: packages and grids.")
]


@strawberry.type(
    description=(
        "A row of the search index of Django Packages, as its REST API gives it. The index is rebuilt now and "
        "then, so a hit can be older than its record."
    )
)
class SearchHit:
    """Resolved from :class:`upstream.client.v4_records.SearchHitRecord`. Contract section 4."""

    item_type: str = strawberry.field(description='What was found: "package" or "grid".')
    title: str = strawberry.field(
        description="The title, with shortcodes such as :rocket: turned into emoji."
    )
    description: str = strawberry.field(
        description="The description, with shortcodes turned into emoji. Can be empty."
    )
    slug: str = strawberry.field(description="The slug that the record had when it was indexed.")
    title_no_prefix: str = strawberry.field(description="The title as it is; nothing is stripped any more.")
    slug_no_prefix: str = strawberry.field(description="The slug once more; nothing is stripped any more.")
    clean_title: str = strawberry.field(description="The title as it is.")
    absolute_url: str = strawberry.field(description="The path of the record's page on the site.")
    category: str = strawberry.field(description="The title of the package's category. Empty for a grid.")
    participants: str = strawberry.field(
        description="The logins of contributors, with commas between. Empty for a grid."
    )
    weight: int = strawberry.field(
        description="What the site adds to the relevance, by popularity and recency, when it orders hits."
    )
    score: int = strawberry.field(
        description="The site's own score of the package, whatever the query; hits are not ordered by it."
    )
    usage: int = strawberry.field(description="How many users of the site say that they use the package.")
    repo_watchers: int = strawberry.field(description="Stars of the repository. 0 for a grid.")
    repo_forks: int = strawberry.field(description="Forks of the repository. 0 for a grid.")
    pypi_downloads: int = strawberry.field(description="Downloads from PyPI. 0 for a grid.")
    last_committed: datetime | None = strawberry.field(description="When the last commit was made.")
    last_released: datetime | None = strawberry.field(description="When the last release was made.")
    created: datetime = strawberry.field(
        description="When the row of the index was made; not when the record was."
    )
    modified: datetime = strawberry.field(
        description="When the row of the index was last changed; not when the record was."
    )
