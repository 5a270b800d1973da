"""The type RelatedPackage: a package seen from another one of its grids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.grid import Grid
    from schema.package import Package


@strawberry.type(description="A package that is compared with another one, in the grids that they share.")
class RelatedPackage:
    """Resolved from :class:`resolvers.related_packages.RelatedPackage`."""

    package: Annotated[Package, strawberry.lazy("schema.package")] = strawberry.field(
        description="The related package."
    )
    shared_grids: list[Annotated[Grid, strawberry.lazy("schema.grid")]] = strawberry.field(
        description="The grids that compare both, by title."
    )
