"""The type Category: v4's fields one to one."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.record import RecordNode
from upstream import records


@strawberry.type(description="A kind of package, such as apps, frameworks or projects. There are about six.")
class Category(RecordNode):
    """Resolved from :class:`upstream.records.Category`."""

    record = records.Category

    title: str = strawberry.field(description='The name of the category, such as "Apps".')
    slug: str = strawberry.field(description='The name of the category in addresses, such as "apps".')
    description: str = strawberry.field(description="What belongs in the category. Can be empty.")
    title_plural: str = strawberry.field(description="The name of several of its packages. Can be empty.")
    show_pypi: bool = strawberry.field(description="Whether the site shows PyPI releases for its packages.")
    created: datetime = strawberry.field(description="When the category was added to the site.")
    modified: datetime = strawberry.field(description="When the category was last edited on the site.")
