"""What packages and grids can be filtered by. ``resolvers.filters.filter_matching`` says what matches."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from engine.answer_dependencies import DependsOn, depends_on


@strawberry.input(description="Bounds of a number. Both are inclusive, and each can be left out.")
class IntRange:
    """Read by ``resolvers.filters.filter_matching``."""

    min: int | None = strawberry.field(default=None, description="At least this.")
    max: int | None = strawberry.field(default=None, description="At most this.")


@strawberry.input(description="A span of time. Each end can be left out.")
class DateTimeRange:
    """Read by ``resolvers.filters.filter_matching``."""

    after: datetime | None = strawberry.field(default=None, description="At this moment or later.")
    before: datetime | None = strawberry.field(default=None, description="Earlier than this moment.")


@strawberry.enum(description="Something that is not known of every package.")
class PackageDetail(Enum):
    """Read by ``resolvers.filters.filter_matching``."""

    LAST_COMMIT = strawberry.enum_value("last_commit", description="When the last commit was made.")
    LAST_FETCHED = strawberry.enum_value("last_fetched", description="When the site read the repository.")
    COMMITS = strawberry.enum_value("commits", description="The commits of the last 52 weeks.")
    CONTRIBUTORS = strawberry.enum_value("contributors", description="Who contributed.")
    REPOSITORY = strawberry.enum_value("repository", description="The address of the repository.")
    DESCRIPTION = strawberry.enum_value("description", description="What the repository says that it is.")
    PYPI = strawberry.enum_value("pypi", description="The package on PyPI.")
    PYPI_VERSION = strawberry.enum_value("pypi_version", description="The number of the latest release.")
    DOCUMENTATION = strawberry.enum_value("documentation", description="The address of the documentation.")
    GRIDS = strawberry.enum_value("grids", description="A grid that compares it.")


@strawberry.input(description="Which packages. All conditions that are given must hold; none matches all.")
class PackageFilter:
    """Read by :func:`resolvers.filters.filter_matching.matching_packages`."""

    category: str | None = strawberry.field(default=None, description="In the category with this slug.")
    in_any_grid: list[str] | None = strawberry.field(
        default=None, description="In at least one of the grids with these slugs."
    )
    in_all_grids: list[str] | None = strawberry.field(
        default=None, description="In every one of the grids with these slugs."
    )
    text: str | None = strawberry.field(
        default=None, description="The title, the slug or the description contains this, in any case."
    )
    title: str | None = strawberry.field(default=None, description="The title contains this, in any case.")
    slug: str | None = strawberry.field(default=None, description="The slug contains this, in any case.")
    description: str | None = strawberry.field(
        default=None, description="repoDescription contains this, in any case."
    )
    stars: IntRange | None = strawberry.field(default=None, description="How many stars: repoWatchers.")
    forks: IntRange | None = strawberry.field(default=None, description="How many forks: repoForks.")
    commits: IntRange | None = strawberry.field(
        default=None, description="How many commits in the last 52 weeks, where that is known."
    )
    grid_count: IntRange | None = strawberry.field(default=None, description="In how many grids.")
    has_pypi_release: bool | None = strawberry.field(
        default=None, description="Whether pypiVersion has a number."
    )
    has_documentation: bool | None = strawberry.field(
        default=None, description="Whether documentationUrl has an address."
    )
    repository_host: str | None = strawberry.field(
        default=None, description='Where the repository is, such as "github.com".'
    )
    contributor: str | None = strawberry.field(
        default=None, description="This login is among the participants, in any case."
    )
    created: DateTimeRange | None = strawberry.field(default=None, description="When it was added.")
    modified: DateTimeRange | None = strawberry.field(default=None, description="When it was last edited.")
    last_commit: DateTimeRange | None = strawberry.field(
        default=None, description="When the last commit was made, where that is known."
    )
    active_within_days: int | None = strawberry.field(
        default=None,
        metadata=depends_on(DependsOn.TIME),
        description="The last commit is at most so many days old.",
    )
    missing: list[PackageDetail] | None = strawberry.field(
        default=None, description="None of these is known of it."
    )
    and_: list[PackageFilter] | None = strawberry.field(
        name="and", default=None, description="All of these hold as well."
    )
    or_: list[PackageFilter] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds as well."
    )
    not_: PackageFilter | None = strawberry.field(name="not", default=None, description="This does not hold.")


@strawberry.input(description="Which grids. All conditions that are given must hold; none matches all.")
class GridFilter:
    """Read by :func:`resolvers.filters.filter_matching.matching_grids`."""

    text: str | None = strawberry.field(
        default=None, description="The title, the slug or the description contains this, in any case."
    )
    title: str | None = strawberry.field(default=None, description="The title contains this, in any case.")
    package_count: IntRange | None = strawberry.field(default=None, description="How many packages.")
    is_locked: bool | None = strawberry.field(default=None, description="Whether it is closed for edits.")
    header: bool | None = strawberry.field(
        default=None, description="Whether the site lists it among its main ones."
    )
    and_: list[GridFilter] | None = strawberry.field(
        name="and", default=None, description="All of these hold as well."
    )
    or_: list[GridFilter] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds as well."
    )
    not_: GridFilter | None = strawberry.field(name="not", default=None, description="This does not hold.")
