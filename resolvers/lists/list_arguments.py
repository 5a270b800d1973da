"""The arguments that several fields share, with their descriptions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.filters import filter_building as _filter_inputs  # noqa: F401 - makes Strawberry build filters by it
from resolvers.filters.filter_inputs import GridFilter, PackageFilter
from resolvers.lists.order_enums import GridOrder, PackageOrder

GlobalId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The global id, as the field `id` gives it.")
]
DatabaseId = Annotated[int | None, strawberry.argument(description="The number in the REST API.")]
Slug = Annotated[str | None, strawberry.argument(description="The name in addresses, case-sensitive.")]
PypiName = Annotated[
    str | None, strawberry.argument(description="The name on PyPI, in any spelling that PyPI takes.")
]
RepoUrl = Annotated[
    str | None,
    strawberry.argument(description="The address of the repository: web, git or ssh, with or without .git."),
]

First = Annotated[
    int | None,
    strawberry.argument(description="How many from the start, or behind `after`: 0 to 100, 20 by default."),
]
After = Annotated[str | None, strawberry.argument(description="Go on behind this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="How many from the end, or ahead of `before`: 0 to 100. Not with `first`."
    ),
]
Before = Annotated[str | None, strawberry.argument(description="Stop ahead of this cursor.")]

PackageFilterArgument = Annotated[
    PackageFilter | None, strawberry.argument(name="filter", description="Which packages; all by default.")
]
GridFilterArgument = Annotated[
    GridFilter | None, strawberry.argument(name="filter", description="Which grids; all by default.")
]
PackageOrderArgument = Annotated[
    PackageOrder | None,
    strawberry.argument(description="The order; by default the newest databaseId first, as in the REST API."),
]
GridOrderArgument = Annotated[
    GridOrder | None,
    strawberry.argument(description="The order; by default the newest databaseId first, as in the REST API."),
]
