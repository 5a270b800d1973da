"""Resolves the fields from a package's own record: PyPI, repository and commits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from catalog import pypi_name, repository
from engine import DependsOn, depends_on
from resolvers.client_errors import BadUserInput
from resolvers.current_time import now
from upstream.client import PackageRecord, UpstreamBadData

WEEKS = 52
HALF = WEEKS // 2

WeekCount = Annotated[int, strawberry.argument(description="The number of weeks, 1 to 52.")]


@strawberry.type(description="A package on PyPI, as the authors of the package entered it.")
class PypiProject:
    """Names a project on PyPI."""

    name: str = strawberry.field(
        description='The normalised name, which identifies the package on PyPI, such as "django-allauth".'
    )
    version: str | None = strawberry.field(
        description="The number of the latest release. Null if there is none."
    )
    url: str = strawberry.field(description="The address of the project on PyPI.")


@strawberry.type(description="A source repository, as the parts of its address in lower case.")
class Repository:
    """Names a repository by the parts of its address."""

    host: str = strawberry.field(description='The host, such as "github.com".')
    owner: str = strawberry.field(description='The owner, such as "django". Nested groups are joined by "/".')
    name: str = strawberry.field(description='The name, such as "channels".')
    url: str = strawberry.field(description="The address on the web.")


def last_weeks(root: CommitActivity, n: WeekCount) -> int:
    """Return the commits of the last ``n`` weeks.

    :raises BadUserInput: there are not that many weeks.
    """
    if not 1 <= n <= WEEKS:
        raise BadUserInput(f"lastWeeks(n:) is {n}; it can be 1 to {WEEKS}.")
    return sum(root.weekly[-n:])


@strawberry.type(
    description="The commits of the last 52 weeks, as the site counted them when it last read the repository."
)
class CommitActivity:
    """Sums up the commits of 52 weeks."""

    weekly: list[int] = strawberry.field(description="The number of commits in each week, oldest first.")
    total52: int = strawberry.field(description="The number of commits in all 52 weeks.")

    trend: int = strawberry.field(
        description="The commits of the last 26 weeks minus those of the 26 weeks before. A positive number "
        "means growth."
    )
    last_active_week: int | None = strawberry.field(
        description=(
            "The number of weeks since the last week with commits; 0 is the newest week. Null if there were "
            "no commits in 52 weeks."
        )
    )
    last_weeks: int = strawberry.field(
        resolver=last_weeks,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of commits in the last `n` weeks.",
    )


def stars(root: PackageRecord) -> int:
    """Return the number of stars."""
    return root.repo_watchers


def forks(root: PackageRecord) -> int:
    """Return the number of forks."""
    return root.repo_forks


def pypi(root: PackageRecord) -> PypiProject | None:
    """Return the package on PyPI that ``pypi_url`` names."""
    name = pypi_name(root.pypi_url)
    if name is None:
        return None
    url = f"https://pypi.org/project/{name}/"
    return PypiProject(name=name, version=root.pypi_version or None, url=url)


def pypi_name_of(root: PackageRecord) -> str | None:
    """Return the normalised name on PyPI that ``pypi_url`` names."""
    return pypi_name(root.pypi_url)


def repository_of(root: PackageRecord) -> Repository | None:
    """Return the repository that ``repo_url`` names."""
    address = repository(root.repo_url)
    if address is None:
        return None
    host, _, path = address.partition("/")
    owner, _, name = path.rpartition("/")
    return Repository(host=host, owner=owner, name=name, url=f"https://{address}")


def commits_over_52(root: PackageRecord) -> tuple[int, ...] | None:
    """Return the commits of each week.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    _check(root, "commits_over_52")
    return root.commits_over_52


def last_updated(root: PackageRecord) -> datetime | None:
    """Return when the last commit was made.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    _check(root, "last_updated")
    return root.last_updated


def last_fetched(root: PackageRecord) -> datetime | None:
    """Return when upstream last read the repository.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    _check(root, "last_fetched")
    return root.last_fetched


def commit_activity(root: PackageRecord) -> CommitActivity | None:
    """Return the commits, where upstream has counted them.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    weekly = commits_over_52(root)
    if not weekly:
        return None
    return CommitActivity(
        weekly=list(weekly),
        total52=sum(weekly),
        trend=sum(weekly[-HALF:]) - sum(weekly[:-HALF]),
        last_active_week=next((age for age, commits in enumerate(reversed(weekly)) if commits), None),
    )


def days_since_last_commit(root: PackageRecord) -> int | None:
    """Return the whole days from the last commit to now; a commit dated in the future is today's.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    moment = last_updated(root)
    return None if moment is None else max(0, (now() - moment).days)


def _check(package: PackageRecord, field: str) -> None:
    if field in package.unfit:
        raise UpstreamBadData(
            f"Upstream's {field} of package {package.id} is not as the v4 API promises, and is left out."
        )
