"""What a package's own record says, by its parts: PyPI, repository, commits."""

from __future__ import annotations

import strawberry

from engine.answer_dependencies import DependsOn, depends_on
from resolvers import package_details as resolvers


@strawberry.type(description="A package on PyPI, as the authors of the package entered it.")
class PypiProject:
    """Resolved from :class:`resolvers.package_details.PypiProject`."""

    name: str = strawberry.field(
        description='The normalised name, by which names on PyPI are told apart, such as "django-allauth".'
    )
    version: str | None = strawberry.field(
        description="The number of the latest release. Null if there is none."
    )
    url: str = strawberry.field(description="The address of the project on PyPI.")


@strawberry.type(description="A source repository, by the parts of its address in lower case.")
class Repository:
    """Resolved from :class:`resolvers.package_details.Repository`."""

    host: str = strawberry.field(description='Where it is, such as "github.com".')
    owner: str = strawberry.field(
        description='Whose it is, such as "django". Groups within groups are joined by "/".'
    )
    name: str = strawberry.field(description='What it is called, such as "channels".')
    url: str = strawberry.field(description="Its address on the web.")


@strawberry.type(
    description="The commits of the last 52 weeks, as the site counted them when it last read the repository."
)
class CommitActivity:
    """Resolved from :class:`resolvers.package_details.CommitActivity`."""

    weekly: list[int] = strawberry.field(description="The commits of each week, oldest first.")
    total52: int = strawberry.field(description="The commits of all weeks.")
    last_weeks = strawberry.field(
        resolver=resolvers.last_weeks,
        metadata=depends_on(DependsOn.CATALOG),
        description="The commits of the last `n` weeks.",
    )
    trend: int = strawberry.field(
        description="The commits of the newer 26 weeks less those of the 26 before: above 0 it grows."
    )
    last_active_week: int | None = strawberry.field(
        description=(
            "How many weeks before the newest one the last commits were made: 0 is the newest week itself. "
            "Null if there were none in 52 weeks."
        )
    )
