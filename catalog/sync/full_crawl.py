"""Reads upstream's three lists (``catalog.sync.paged_list_reading``), as upstream had them all at one moment.

When all lists have been read, each is checked once more. If none has changed, the lists are as upstream had them all
at one moment. A change inside a row cannot be detected. But if the rows of a package and a grid disagree on whether
the package is in the grid, both are requested again, because upstream itself never disagrees.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.sync.crawl_report import CrawlReport
from catalog.sync.paged_list_reading import MAX_ASKED_ALONE, ListReading, Progress
from upstream.batching import Batcher
from upstream.client import (
    CATEGORY,
    GRID,
    PACKAGE,
    CategoryRecord,
    Client,
    ContradictoryList,
    GridRecord,
    PackageRecord,
)

ROUNDS = 20
"""How often the lists are checked before the crawl gives up, because they keep changing."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Crawled:
    """Holds everything that upstream has, including last good versions of records that cannot be read now."""

    packages: dict[int, PackageRecord]
    grids: dict[int, GridRecord]
    categories: dict[int, CategoryRecord]
    report: CrawlReport


@dataclass(frozen=True, slots=True)
class LastGood:
    """Holds the records of the previous catalog by id, to replace records that cannot be read now."""

    packages: Mapping[int, PackageRecord] = field(default_factory=dict)
    grids: Mapping[int, GridRecord] = field(default_factory=dict)
    categories: Mapping[int, CategoryRecord] = field(default_factory=dict)


async def crawl(
    batcher: Batcher, client: Client, last_good: LastGood, progress: Progress = lambda kind, read, count: None
) -> Crawled:
    """Return the three lists, as upstream had them at one moment.

    :raises UpstreamError: a list could not be read.
    """
    packages = ListReading(PACKAGE, batcher, last_good.packages, progress)
    grids = ListReading(GRID, batcher, last_good.grids, progress)
    categories = ListReading(CATEGORY, batcher, last_good.categories, progress)
    lists: tuple[ListReading[Any], ...] = (packages, grids, categories)
    for each in lists:
        await each.read()
    memberships = _Memberships(client, packages, grids)
    for _ in range(ROUNDS):
        unchanged = [await each.is_unchanged() for each in lists]
        if all(unchanged) and await memberships.agree():
            break
    else:
        raise ContradictoryList(
            f"The crawl was checked {ROUNDS} times, and upstream had changed before each check."
        )
    contradictions = memberships.contradictions(categories)
    kept = [await each.take_last_good(client) for each in lists]
    report = CrawlReport(
        rows=sum(each.row_count for each in lists),
        kept=sum(kept),
        without_slug=sum(each.without_slug for each in lists),
        contradictions=contradictions,
    )
    return Crawled(packages.records, grids.records, categories.records, report)


class _Memberships:
    """Compares which package is in which grid according to the packages and according to the grids."""

    def __init__(
        self, client: Client, packages: ListReading[PackageRecord], grids: ListReading[GridRecord]
    ) -> None:
        self._client = client
        self._packages = packages
        self._grids = grids
        self._unexplained: set[tuple[int, int]] = set()
        self._may_ask = MAX_ASKED_ALONE

    async def agree(self) -> bool:
        """Return whether packages and grids agree. Records that do not agree are requested again, because one of them
        has changed between their pages."""
        odd = self._odd()
        if not odd or odd == self._unexplained or not self._may_ask:
            return True
        _log.info("%d memberships changed during the crawl; asking for their records anew", len(odd))
        sides: list[tuple[ListReading[Any], int]] = [(self._packages, 0), (self._grids, 1)]
        # Often one grid explains many packages, or one package several grids.
        for each, side in sorted(sides, key=lambda each: len({pair[each[1]] for pair in odd})):
            ids = {pair[side] for pair in self._odd()} & each.records.keys()
            asked = sorted(ids)[: self._may_ask]
            self._may_ask -= len(asked)
            await each.ask_anew(self._client, asked)
        self._unexplained = odd & self._odd()
        return False

    def contradictions(self, categories: ListReading[CategoryRecord]) -> int:
        """Return how many memberships one side alone knows, and how many packages are in no category that exists.

        Upstream itself never has any (contract section 2).
        """
        is_told = categories.told()
        named = [package.category for package in self._packages.records.values()]
        unknown = sum(id not in categories.records and is_told(id) for id in named)
        return len(self._odd()) + unknown

    def _odd(self) -> set[tuple[int, int]]:
        """Return the pairs of package and grid that only one of the two knows of, though both can be read."""
        members = {grid.id: set(grid.packages) for grid in self._grids.records.values()}
        odd: set[tuple[int, int]] = set()
        for package in self._packages.records.values():
            for grid in package.grids:
                if package.id in members.get(grid, ()):
                    members[grid].remove(package.id)
                else:
                    odd.add((package.id, grid))
        odd |= {(package, grid) for grid, left in members.items() for package in left}
        package_is_told, grid_is_told = self._packages.told(), self._grids.told()
        return {(package, grid) for package, grid in odd if package_is_told(package) and grid_is_told(grid)}
