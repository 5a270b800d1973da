"""Declares the arguments that several fields share, with their descriptions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.filters import filter_building as _filter_inputs  # noqa: F401 - makes Strawberry build filters by it
from resolvers.filters.filter_inputs import GridFilter, PackageFilter
from resolvers.lists.sort_orders import GridOrder, PackageOrder

GlobalId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The global id from the field `id`.")
]
DatabaseId = Annotated[int | None, strawberry.argument(description="The number in the REST API.")]
Slug = Annotated[str | None, strawberry.argument(description="The slug, case-sensitive.")]
PypiName = Annotated[
    str | None, strawberry.argument(description="The name on PyPI, in any spelling that PyPI accepts.")
]
RepoUrl = Annotated[
    str | None,
    strawberry.argument(description="The address of the repository: web, git or ssh, with or without .git."),
]

First = Annotated[
    int | None,
    strawberry.argument(
        description="The number of records from the start, or after `after`: 0 to 100, 20 by default."
    ),
]
After = Annotated[str | None, strawberry.argument(description="The list continues after this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="The number of records from the end, or before `before`: 0 to 100. Not together with `first`."
    ),
]
Before = Annotated[str | None, strawberry.argument(description="The list ends before this cursor.")]

PackageFilterArgument = Annotated[
    PackageFilter | None,
    strawberry.argument(name="filter", description="The packages to list; all by default."),
]
GridFilterArgument = Annotated[
    GridFilter | None, strawberry.argument(name="filter", description="The grids to list; all by default.")
]
PackageOrderArgument = Annotated[
    PackageOrder | None,
    strawberry.argument(
        description="The sort order. By default the highest databaseId comes first, as in the REST API."
    ),
]
GridOrderArgument = Annotated[
    GridOrder | None,
    strawberry.argument(
        description="The sort order. By default the highest databaseId comes first, as in the REST API."
    ),
]
