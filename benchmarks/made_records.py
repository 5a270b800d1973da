"""Provides records of a catalog of any size, about as large as real ones, and always the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import msgspec

from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord

CONTRIBUTORS = 20
"""How many each package has. Upstream's own have fewer on average, up to 408."""


def made_packages(size: int) -> Iterator[PackageRecord]:
    """Packages of about the size of real ones, always the same, oldest first."""
    draws = Random(1)
    decode = msgspec.json.Decoder(PackageRecord).decode
    weeks = tuple(draws.choices(range(12), k=1000))
    for id in range(1, size + 1):
        package = PackageRecord(
            id=id,
            title=f"Django Package {id * 7919 % size}",
            slug=f"django-package-{id}",
            last_updated=_moment(draws),
            last_fetched=_moment(draws),
            repo_url=f"https://github.com/owner-{id % 1000}/django-package-{id}",
            pypi_version=f"{id % 9}.{id % 7}.{id % 5}",
            created=_moment(draws),
            modified=_moment(draws),
            repo_forks=draws.randrange(500),
            repo_description="Adds one more thing to the admin of a Django project, and does it quite well.",
            pypi_url=f"https://pypi.org/project/django-package-{id}/",
            documentation_url=f"https://django-package-{id}.readthedocs.io/",
            repo_watchers=draws.randrange(5000),
            commits_over_52=weeks[id % 948 :][:52],
            participants=tuple(_login(draws, size) for _ in range(CONTRIBUTORS)),
            category=id % 6,
            grids=(id % 440,) if id % 3 == 0 else (),
        )
        # Through JSON, as a record from upstream comes, so that no two records share a string.
        yield decode(msgspec.json.encode(package))


def made_grids(size: int) -> Iterator[GridRecord]:
    """Yield the 440 grids, with a third of the packages among them."""
    for id in range(440):
        yield GridRecord(
            id=id,
            title=f"Grid {id}",
            slug=f"grid-{id}",
            description="Compares packages that do about the same.",
            is_locked=False,
            header=True,
            created=_START,
            modified=_START,
            packages=tuple(member for member in range(id, size + 1, 440) if member % 3 == 0 and member),
        )


def made_categories() -> Iterator[CategoryRecord]:
    """Yield the 6 categories."""
    for id in range(6):
        yield CategoryRecord(
            id=id,
            title=f"Category {id}",
            slug=f"category-{id}",
            description="",
            title_plural=f"Categories {id}",
            show_pypi=True,
            created=_START,
            modified=_START,
        )


_START = datetime(2010, 8, 14, tzinfo=UTC)
_EASTERN = timezone(timedelta(hours=-5))


def _moment(draws: Random) -> datetime:
    return (_START + timedelta(seconds=draws.randrange(490_000_000))).astimezone(_EASTERN)


def _login(draws: Random, size: int) -> str:
    # Few people work on many packages, most on one.
    return f"Contributor{int(draws.random() ** 2 * size * 6)}"
