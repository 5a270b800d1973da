"""Declares the type Category: the fields of v4, and its packages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine import DependsOn, depends_on
from resolvers import category as resolvers
from resolvers import record_page_urls
from resolvers.lists import Connection
from schema.record_node import RecordNode
from schema.semantic_nullability import null_only_with_error
from upstream.client import v4_records

if TYPE_CHECKING:
    from schema.package import Package

LazyPackage = Annotated["Package", strawberry.lazy("schema.package")]


@strawberry.federation.type(
    description="A kind of package, such as apps, frameworks or projects. There are about six.",
    keys=["id", "databaseId", "slug"],
)
class Category(RecordNode):
    """Is resolved from :class:`upstream.client.v4_records.CategoryRecord`."""

    record = v4_records.CategoryRecord

    title: str = strawberry.field(description='The name of the category, such as "Apps".')
    slug: str = strawberry.field(description='The slug of the category, such as "apps".')
    description: str = strawberry.field(
        description="A description of what belongs in the category. It can be empty."
    )
    title_plural: str = strawberry.field(
        description="The plural name for packages of the category. It can be empty."
    )
    show_pypi: bool = strawberry.field(description="Whether the site shows PyPI releases for its packages.")
    created: datetime = strawberry.field(description="When the category was added to the site.")
    modified: datetime = strawberry.field(description="When the category was last edited on the site.")
    site_url: str = strawberry.field(
        resolver=record_page_urls.category_page,
        metadata=depends_on(DependsOn.CATALOG),
        description="The address of the page of the category on Django Packages.",
    )
    package_count = strawberry.field(
        resolver=resolvers.package_count,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=int | None,
        description="The number of packages in the category. Null, with an error, while there is no catalog.",
    )
    packages = strawberry.field(
        resolver=resolvers.packages,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=Connection[LazyPackage] | None,
        description="The packages in the category, newest first by default.",
    )
    most_starred = strawberry.field(
        resolver=resolvers.most_starred,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=list[LazyPackage] | None,
        description="The packages in the category with the most stars. Ties are sorted by databaseId.",
    )
