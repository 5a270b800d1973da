"""Declares what packages and grids can be filtered by. ``resolvers.filters.filter_matching`` decides what matches."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from engine import DependsOn, depends_on


@strawberry.input(description="A range of numbers. Both bounds are inclusive, and each can be omitted.")
class IntRange:
    """Is read by ``resolvers.filters.filter_matching``."""

    min: int | None = strawberry.field(default=None, description="The lowest number.")
    max: int | None = strawberry.field(default=None, description="The highest number.")


@strawberry.input(description="A period of time. Each bound can be omitted.")
class DateTimeRange:
    """Is read by ``resolvers.filters.filter_matching``."""

    after: datetime | None = strawberry.field(default=None, description="The start of the period, inclusive.")
    before: datetime | None = strawberry.field(default=None, description="The end of the period, exclusive.")


@strawberry.enum(description="A value that some packages lack.")
class PackageDetail(Enum):
    """Is read by ``resolvers.filters.filter_matching``."""

    LAST_COMMIT = strawberry.enum_value("last_commit", description="When the last commit was made.")
    LAST_FETCHED = strawberry.enum_value(
        "last_fetched", description="When the site last read the repository."
    )
    COMMITS = strawberry.enum_value("commits", description="The commits of the last 52 weeks.")
    CONTRIBUTORS = strawberry.enum_value("contributors", description="The logins of the contributors.")
    REPOSITORY = strawberry.enum_value("repository", description="The address of the repository.")
    DESCRIPTION = strawberry.enum_value("description", description="The description in the repository.")
    PYPI = strawberry.enum_value("pypi", description="The package on PyPI.")
    PYPI_VERSION = strawberry.enum_value("pypi_version", description="The number of the latest release.")
    DOCUMENTATION = strawberry.enum_value("documentation", description="The address of the documentation.")
    GRIDS = strawberry.enum_value("grids", description="A grid that compares it.")


@strawberry.input(
    description="A filter for packages. All given conditions must hold. An empty filter matches all packages."
)
class PackageFilter:
    """Is read by :func:`resolvers.filters.filter_matching.matching_packages`."""

    category: str | None = strawberry.field(
        default=None, description="In the category with this slug. A slug that no category has is an error."
    )
    in_any_grid: list[str] | None = strawberry.field(
        default=None, description="In at least one of the grids with these slugs."
    )
    in_all_grids: list[str] | None = strawberry.field(
        default=None, description="In every one of the grids with these slugs."
    )
    text: str | None = strawberry.field(
        default=None,
        description="The title, the slug or the description contains this text, regardless of case.",
    )
    title: str | None = strawberry.field(
        default=None, description="The title contains this text, regardless of case."
    )
    slug: str | None = strawberry.field(
        default=None, description="The slug contains this text, regardless of case."
    )
    description: str | None = strawberry.field(
        default=None, description="repoDescription contains this text, regardless of case."
    )
    stars: IntRange | None = strawberry.field(default=None, description="The number of stars (repoWatchers).")
    forks: IntRange | None = strawberry.field(default=None, description="The number of forks (repoForks).")
    commits: IntRange | None = strawberry.field(
        default=None, description="The number of commits in the last 52 weeks, if it is known."
    )
    grid_count: IntRange | None = strawberry.field(
        default=None, description="The number of grids that compare the package."
    )
    has_pypi_release: bool | None = strawberry.field(
        default=None, description="Whether pypiVersion has a number."
    )
    has_documentation: bool | None = strawberry.field(
        default=None, description="Whether documentationUrl has an address."
    )
    repository_host: str | None = strawberry.field(
        default=None, description='The host of the repository, such as "github.com".'
    )
    contributor: str | None = strawberry.field(
        default=None, description="This login is among the participants, regardless of case."
    )
    created: DateTimeRange | None = strawberry.field(default=None, description="When it was added.")
    modified: DateTimeRange | None = strawberry.field(default=None, description="When it was last edited.")
    last_commit: DateTimeRange | None = strawberry.field(
        default=None, description="When the last commit was made, if it is known."
    )
    last_commit_at: DateTimeRange | None = strawberry.field(
        default=None,
        description="The value of lastCommitAt, if it is known: lastCommit under its field's name.",
    )
    active_within_days: int | None = strawberry.field(
        default=None,
        metadata=depends_on(DependsOn.TIME),
        description="The last commit is at most this many days old.",
    )
    added_after: datetime | None = strawberry.field(
        default=None,
        metadata=depends_on(DependsOn.FEED),
        description="The gateway first found it, or found it again, after this time. For a package that was "
        "there when the gateway's history began, `created` counts instead.",
    )
    removed_after: datetime | None = strawberry.field(
        default=None,
        metadata=depends_on(DependsOn.FEED),
        description="It was removed after this time. Without `@asOf` this finds only packages that came back; "
        "with `@asOf` it also finds packages that are gone by now. `removedPackages` lists the removed "
        "packages.",
    )
    missing: list[PackageDetail] | None = strawberry.field(
        default=None, description="The package lacks all of these values."
    )
    and_: list[PackageFilter] | None = strawberry.field(
        name="and", default=None, description="All of these filters must match too."
    )
    or_: list[PackageFilter] | None = strawberry.field(
        name="or", default=None, description="At least one of these filters must match too."
    )
    not_: PackageFilter | None = strawberry.field(
        name="not", default=None, description="This filter must not match."
    )
    reading: strawberry.Private[Any] = field(default=None, compare=False, repr=False)
    """What was read of it, at its first use."""


@strawberry.input(
    description="A filter for grids. All given conditions must hold. An empty filter matches all grids."
)
class GridFilter:
    """Is read by :func:`resolvers.filters.filter_matching.matching_grids`."""

    text: str | None = strawberry.field(
        default=None,
        description="The title, the slug or the description contains this text, regardless of case.",
    )
    title: str | None = strawberry.field(
        default=None, description="The title contains this text, regardless of case."
    )
    package_count: IntRange | None = strawberry.field(default=None, description="The number of packages.")
    is_locked: bool | None = strawberry.field(default=None, description="Whether it is closed for edits.")
    header: bool | None = strawberry.field(
        default=None, description="Whether the site lists it among its main ones."
    )
    and_: list[GridFilter] | None = strawberry.field(
        name="and", default=None, description="All of these filters must match too."
    )
    or_: list[GridFilter] | None = strawberry.field(
        name="or", default=None, description="At least one of these filters must match too."
    )
    not_: GridFilter | None = strawberry.field(
        name="not", default=None, description="This filter must not match."
    )
    reading: strawberry.Private[Any] = field(default=None, compare=False, repr=False)
    """What was read of it, at its first use."""
