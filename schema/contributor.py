"""Declares the type Contributor, which v4 does not have: the people among the participants of packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import relay

from catalog import contributor_index as contributors
from engine import DependsOn, decided_by_class, depends_on
from resolvers import contributor as resolvers
from resolvers.lists import Connection
from schema.category import Category

if TYPE_CHECKING:
    from schema.package import Package

LazyPackage = Annotated["Package", strawberry.lazy("schema.package")]
LazyContributor = Annotated["Contributor", strawberry.lazy("schema.contributor")]


@strawberry.federation.type(
    description="A person who contributed to packages, identified by the login at the repository's host.",
    keys=["id", "login"],
)
class Contributor(relay.Node):
    """Is resolved from :class:`catalog.contributor_index.ContributorRecord`."""

    login: str = strawberry.field(
        description="The login, as the newest package spells it. Packages can differ in upper and lower case."
    )
    package_count = strawberry.field(
        resolver=resolvers.package_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of packages that the person contributed to.",
    )
    packages = strawberry.field(
        resolver=resolvers.packages,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=Connection[LazyPackage] | None,
        description="The packages that the person contributed to, newest first by default.",
    )
    categories = strawberry.field(
        resolver=resolvers.categories,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=list[resolvers.CategoryCount[Category]] | None,
        description="The categories of these packages, the category with the most packages first.",
    )
    co_contributors = strawberry.field(
        resolver=resolvers.co_contributors_of,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[resolvers.CoContributor[LazyContributor]] | None,
        description="Other contributors to the same packages. Those with the most shared packages come "
        "first; ties are sorted by login.",
    )

    @classmethod
    def resolve_id(cls, root: contributors.ContributorRecord, *, info: strawberry.Info) -> str:  # type: ignore[override]
        """Return the part of the global id behind the type's name."""
        return root.key

    @classmethod
    @decided_by_class
    def is_type_of(cls, obj: object, _info: object) -> bool:
        """Return whether a record has this type. The execution asks this for a field whose type is an interface."""
        return isinstance(obj, contributors.ContributorRecord)
