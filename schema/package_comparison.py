"""What the packages of a grid amount to, and a package beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.package import Package


@strawberry.type(description="A number that packages have, taken together.")
class Amount:
    """Resolved from :class:`resolvers.grid.Amount`."""

    total: int = strawberry.field(description="The sum.")
    median: float | None = strawberry.field(
        description="As many packages have more as have less. Null if there is no package."
    )


@strawberry.type(
    description="A package beside the others of its grid. Rank 1 is the greatest number; equal numbers share a rank."
)
class ComparedPackage:
    """Resolved from :class:`resolvers.grid.ComparedPackage`."""

    package: Annotated[Package, strawberry.lazy("schema.package")] = strawberry.field(
        description="The package."
    )
    stars_rank: int = strawberry.field(description="The rank by stars.")
    forks_rank: int = strawberry.field(description="The rank by forks.")
    commits_rank: int | None = strawberry.field(
        description="The rank by the commits of 52 weeks. Null if they are not counted."
    )
    last_commit_rank: int | None = strawberry.field(
        description="The rank by the last commit, 1 for the latest. Null if it is not known."
    )
