"""What a package's own record says, read out of it: PyPI, repository and commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.errors import BadUserInput
from resolvers.moment import now
from upstream.identity import pypi_name, repository
from upstream.records import Package

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


def pypi(root: Package) -> PypiProject | None:
    """The package on PyPI that ``pypi_url`` names."""
    name = pypi_name(root.pypi_url)
    if name is None:
        return None
    return PypiProject(name, root.pypi_version or None, f"https://pypi.org/project/{name}/")


def pypi_name_of(root: Package) -> str | None:
    """The normalised name on PyPI that ``pypi_url`` names."""
    return pypi_name(root.pypi_url)


def repository_of(root: Package) -> Repository | None:
    """The repository that ``repo_url`` names."""
    address = repository(root.repo_url)
    if address is None:
        return None
    host, _, path = address.partition("/")
    owner, _, name = path.rpartition("/")
    return Repository(host, owner, name, f"https://{address}")


def commit_activity(root: Package) -> CommitActivity | None:
    """The commits, where upstream has counted them."""
    return CommitActivity(root.commits_over_52) if root.commits_over_52 else None


def last_weeks(root: CommitActivity, n: WeekCount) -> int:
    """The commits of the last ``n`` weeks."""
    if not 1 <= n <= WEEKS:
        raise BadUserInput(f"lastWeeks(n:) is {n}; it can be 1 to {WEEKS}.")
    return root.last_weeks(n)


def last_commit_at(root: Package) -> datetime | None:
    """When the last commit was made."""
    return root.last_updated


def days_since_last_commit(root: Package) -> int | None:
    """Whole days from the last commit to now; a commit dated in the future is today's."""
    if root.last_updated is None:
        return None
    return max(0, (now() - root.last_updated).days)
