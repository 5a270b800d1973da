"""What a package's own record says, read out of it: PyPI, repository and commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from catalog.pypi_and_repository import pypi_name, repository
from resolvers.client_errors import BadUserInput
from resolvers.current_time import now
from upstream.client.upstream_errors import UpstreamBadData
from upstream.client.v4_records import PackageRecord

WEEKS = 52
HALF = WEEKS // 2

WeekCount = Annotated[int, strawberry.argument(description="How many weeks, 1 to 52.")]


@dataclass(frozen=True, slots=True)
class PypiProject:
    """A package on PyPI."""

    name: str
    version: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository by the parts of its address."""

    host: str
    owner: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class CommitActivity:
    """The commits of each of the last 52 weeks, oldest first."""

    weekly: tuple[int, ...]

    @property
    def total52(self) -> int:
        """All of them."""
        return sum(self.weekly)

    @property
    def trend(self) -> int:
        """The newer half of the year less the older one."""
        return sum(self.weekly[-HALF:]) - sum(self.weekly[:-HALF])

    @property
    def last_active_week(self) -> int | None:
        """How many weeks before the newest one the last commits were made."""
        ages = (age for age, commits in enumerate(reversed(self.weekly)) if commits)
        return next(ages, None)

    def last_weeks(self, n: int) -> int:
        """The commits of the last ``n`` weeks."""
        return sum(self.weekly[-n:])


def pypi(root: PackageRecord) -> PypiProject | None:
    """The package on PyPI that ``pypi_url`` names."""
    name = pypi_name(root.pypi_url)
    if name is None:
        return None
    return PypiProject(name, root.pypi_version or None, f"https://pypi.org/project/{name}/")


def pypi_name_of(root: PackageRecord) -> str | None:
    """The normalised name on PyPI that ``pypi_url`` names."""
    return pypi_name(root.pypi_url)


def repository_of(root: PackageRecord) -> Repository | None:
    """The repository that ``repo_url`` names."""
    address = repository(root.repo_url)
    if address is None:
        return None
    host, _, path = address.partition("/")
    owner, _, name = path.rpartition("/")
    return Repository(host, owner, name, f"https://{address}")


def commits_over_52(root: PackageRecord) -> tuple[int, ...] | None:
    """The commits of each week.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    _check(root, "commits_over_52")
    return root.commits_over_52


def last_updated(root: PackageRecord) -> datetime | None:
    """When the last commit was made.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    _check(root, "last_updated")
    return root.last_updated


def last_fetched(root: PackageRecord) -> datetime | None:
    """When upstream last read the repository.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    _check(root, "last_fetched")
    return root.last_fetched


def commit_activity(root: PackageRecord) -> CommitActivity | None:
    """The commits, where upstream has counted them.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    commits = commits_over_52(root)
    return CommitActivity(commits) if commits else None


def last_weeks(root: CommitActivity, n: WeekCount) -> int:
    """The commits of the last ``n`` weeks."""
    if not 1 <= n <= WEEKS:
        raise BadUserInput(f"lastWeeks(n:) is {n}; it can be 1 to {WEEKS}.")
    return root.last_weeks(n)


def days_since_last_commit(root: PackageRecord) -> int | None:
    """Whole days from the last commit to now; a commit dated in the future is today's.

    :raises UpstreamBadData: upstream's cannot be taken.
    """
    moment = last_updated(root)
    return None if moment is None else max(0, (now() - moment).days)


def _check(package: PackageRecord, field: str) -> None:
    if field in package.unfit:
        raise UpstreamBadData(
            f"Upstream's {field} of package {package.id} is not as the v4 API promises, and is left out."
        )
