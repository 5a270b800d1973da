"""Which rows of the catalog a filter matches.

Texts are compared by their Unicode case folding. Moments are instants: offsets do not matter. Each condition is one
pass over a column, and conditions are combined as masks (``upstream.tables``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from resolvers.errors import BadUserInput
from resolvers.filters import DateTimeRange, GridFilter, IntRange, PackageDetail, PackageFilter
from resolvers.moment import now
from upstream.catalog import Catalog
from upstream.identity import repository
from upstream.orders import commits_in_52_weeks, last_commit
from upstream.records import Grid, Package, R
from upstream.tables import Mask, Table, grid_table, package_table

MOST_CONDITIONS = 100
"""In one filter, with all that are nested in it: each is a pass over the catalogue."""

MOST_TEXT = 1000
MOST_DAYS = 36_500

Filter = TypeVar("Filter", PackageFilter, GridFilter)
C = TypeVar("C")
_Named = tuple[tuple[str, C | None, Callable[[Package], Any]], ...]
"""The name of a condition, the condition if it is given, and the column that it is about."""


def matching_packages(catalog: Catalog, filter: PackageFilter, argument: str) -> Mask:
    """The packages that match; ``argument`` names the filter in errors.

    :raises BadUserInput: a condition makes no sense.
    """
    return _matching(filter, argument, catalog.view(package_table), _Packages(catalog, argument).conditions)


def matching_grids(catalog: Catalog, filter: GridFilter, argument: str) -> Mask:
    """The grids that match; ``argument`` names the filter in errors.

    :raises BadUserInput: a condition makes no sense.
    """
    return _matching(filter, argument, catalog.view(grid_table), _Grids(catalog, argument).conditions)


def repository_host(package: Package) -> str | None:
    """Where the repository is: a column of the table of packages."""
    address = repository(package.repo_url)
    return address and address.partition("/")[0]


def _matching(
    filter: Filter, argument: str, table: Table[int, R], conditions: Callable[[Filter], Iterable[Mask]]
) -> Mask:
    left = MOST_CONDITIONS

    def match(filter: Filter) -> Mask:
        spend()
        mask = table.every
        for condition in conditions(filter):
            spend()
            mask &= condition
        for other in filter.and_ or ():
            mask &= match(other)
        if filter.or_ is not None:
            if not filter.or_:
                raise BadUserInput(f"{argument} has an or without any filter in it; give at least one.")
            any_of = 0
            for other in filter.or_:
                any_of |= match(other)
            mask &= any_of
        if filter.not_ is not None:
            mask &= table.every ^ match(filter.not_)
        return mask

    def spend() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise BadUserInput(f"{argument} has more than {MOST_CONDITIONS} conditions.")

    return match(filter)


class _Packages:
    """The conditions of a package filter, each a mask."""

    def __init__(self, catalog: Catalog, argument: str) -> None:
        self._catalog = catalog
        self._table = catalog.view(package_table)
        self._read = _Reader(argument)

    def conditions(self, filter: PackageFilter) -> Iterable[Mask]:
        yield from self._memberships(filter)
        yield from self._texts(filter)
        table, read = self._table, self._read
        ranges: _Named[IntRange] = (
            ("stars", filter.stars, _stars),
            ("forks", filter.forks, _forks),
            ("commits", filter.commits, commits_in_52_weeks),
            ("gridCount", filter.grid_count, _grid_count),
        )
        for name, bounds, value_of in ranges:
            if bounds is not None:
                yield _within(table, value_of, *read.numbers(name, bounds))
        spans: _Named[DateTimeRange] = (
            ("created", filter.created, _created),
            ("modified", filter.modified, _modified),
            ("lastCommit", filter.last_commit, last_commit),
        )
        for name, span, value_of in spans:
            if span is not None:
                yield _between(table, value_of, *read.moments(name, span))
        if filter.active_within_days is not None:
            since = now().timestamp() - 86_400 * read.days("activeWithinDays", filter.active_within_days)
            yield _between(table, last_commit, since, float("inf"))
        for wanted, is_missing in (
            (filter.has_pypi_release, _IS_MISSING[PackageDetail.PYPI_VERSION]),
            (filter.has_documentation, _IS_MISSING[PackageDetail.DOCUMENTATION]),
        ):
            if wanted is not None:
                missing = table.mask(table.column(is_missing))
                yield table.every ^ missing if wanted else missing
        for detail in filter.missing or ():
            yield table.mask(table.column(_IS_MISSING[detail]))

    def _memberships(self, filter: PackageFilter) -> Iterable[Mask]:
        catalog, table = self._catalog, self._table
        if filter.category is not None:
            category = catalog.category_slugs.get(filter.category)
            yield 0 if category is None else table.among(catalog.category_packages[category])
        if filter.in_any_grid is not None:
            any_of = 0
            for slug in self._read.keys("inAnyGrid", filter.in_any_grid):
                any_of |= self._on_grid(slug)
            yield any_of
        if filter.in_all_grids is not None:
            for slug in self._read.keys("inAllGrids", filter.in_all_grids):
                yield self._on_grid(slug)
        if filter.contributor is not None:
            yield table.among(catalog.contributor_packages.get(filter.contributor.casefold(), ()))
        if filter.repository_host is not None:
            host = filter.repository_host.casefold()
            yield table.mask([host == other for other in table.column(repository_host)])

    def _on_grid(self, slug: str) -> Mask:
        grid = self._catalog.grid_slugs.get(slug)
        return 0 if grid is None else self._table.among(self._catalog.grid_packages[grid])

    def _texts(self, filter: PackageFilter) -> Iterable[Mask]:
        for name, text, text_of in (
            ("text", filter.text, _package_text),
            ("title", filter.title, _title),
            ("slug", filter.slug, _slug),
            ("description", filter.description, _repo_description),
        ):
            if text is not None:
                yield _containing(self._table, text_of, self._read.text(name, text))


class _Grids:
    """The conditions of a grid filter, each a mask."""

    def __init__(self, catalog: Catalog, argument: str) -> None:
        self._table = catalog.view(grid_table)
        self._read = _Reader(argument)

    def conditions(self, filter: GridFilter) -> Iterable[Mask]:
        table, read = self._table, self._read
        if filter.text is not None:
            yield _containing(table, _grid_text, read.text("text", filter.text))
        if filter.title is not None:
            yield _containing(table, _grid_title, read.text("title", filter.title))
        if filter.package_count is not None:
            yield _within(table, _package_count, *read.numbers("packageCount", filter.package_count))
        for wanted, flag_of in ((filter.is_locked, _is_locked), (filter.header, _header)):
            if wanted is not None:
                flagged = table.mask(table.column(flag_of))
                yield flagged if wanted else table.every ^ flagged


class _Reader:
    """Reads the values of conditions, and refuses those that make no sense."""

    def __init__(self, argument: str) -> None:
        self._argument = argument

    def numbers(self, name: str, bounds: IntRange) -> tuple[float, float]:
        low = float("-inf") if bounds.min is None else bounds.min
        high = float("inf") if bounds.max is None else bounds.max
        if low > high:
            raise BadUserInput(f"{self._argument} has {name} with min {low} above max {high}.")
        return low, high

    def moments(self, name: str, span: DateTimeRange) -> tuple[float, float]:
        after = float("-inf") if span.after is None else self._seconds(name, span.after)
        before = float("inf") if span.before is None else self._seconds(name, span.before)
        if after > before:
            raise BadUserInput(f"{self._argument} has {name} with after later than before.")
        return after, before

    def days(self, name: str, days: int) -> int:
        if not 0 <= days <= MOST_DAYS:
            raise BadUserInput(f"{self._argument} has {name} {days}; it can be 0 to {MOST_DAYS}.")
        return days

    def text(self, name: str, text: str) -> str:
        if len(text) > MOST_TEXT:
            raise BadUserInput(
                f"{self._argument} has {name} with {len(text):,} characters; it can have {MOST_TEXT:,}."
            )
        if "\0" in text:
            raise BadUserInput(f"{self._argument} has {name} with a NUL character, which no text has.")
        return text.casefold()

    def keys(self, name: str, keys: Sequence[str]) -> Sequence[str]:
        if not 1 <= len(keys) <= MOST_CONDITIONS:
            raise BadUserInput(
                f"{self._argument} has {name} with {len(keys)} slugs; it can have 1 to {MOST_CONDITIONS}."
            )
        return keys

    def _seconds(self, name: str, moment: datetime) -> float:
        if moment.tzinfo is None:
            raise BadUserInput(
                f'{self._argument} has {name} with the time {moment.isoformat()} without an offset; add one, like "Z".'
            )
        try:
            return moment.timestamp()
        except (OverflowError, ValueError):
            raise BadUserInput(f"{self._argument} has {name} with a time out of range.") from None


def _within(table: Table[int, R], value_of: Callable[[R], Any], low: float, high: float) -> Mask:
    return table.mask([low <= value <= high for value in table.numbers(value_of)])


def _between(table: Table[int, R], value_of: Callable[[R], Any], after: float, before: float) -> Mask:
    return table.mask([after <= value < before for value in table.numbers(value_of)])


def _containing(table: Table[int, R], text_of: Callable[[R], str], text: str) -> Mask:
    return table.mask([text in each for each in table.column(text_of)])


# The columns. Tables keep each under its function.


def _stars(package: Package) -> int:
    return package.repo_watchers


def _forks(package: Package) -> int:
    return package.repo_forks


def _grid_count(package: Package) -> int:
    return len(package.grids)


def _created(package: Package) -> float:
    return package.created.timestamp()


def _modified(package: Package) -> float:
    return package.modified.timestamp()


def _title(package: Package) -> str:
    return package.title.casefold()


def _slug(package: Package) -> str:
    return package.slug.casefold()


def _repo_description(package: Package) -> str:
    return package.repo_description.casefold()


def _package_text(package: Package) -> str:
    # A text that is looked for has no NUL, so it is found within one of the three.
    return f"{package.title}\0{package.slug}\0{package.repo_description}".casefold()


def _grid_text(grid: Grid) -> str:
    return f"{grid.title}\0{grid.slug}\0{grid.description}".casefold()


def _grid_title(grid: Grid) -> str:
    return grid.title.casefold()


def _package_count(grid: Grid) -> int:
    return len(grid.packages)


def _is_locked(grid: Grid) -> bool:
    return grid.is_locked


def _header(grid: Grid) -> bool:
    return grid.header


_IS_MISSING: Mapping[PackageDetail, Callable[[Package], bool]] = {
    PackageDetail.LAST_COMMIT: lambda package: package.last_updated is None,
    PackageDetail.LAST_FETCHED: lambda package: package.last_fetched is None,
    PackageDetail.COMMITS: lambda package: not package.commits_over_52,
    PackageDetail.CONTRIBUTORS: lambda package: not package.participants,
    PackageDetail.REPOSITORY: lambda package: not package.repo_url,
    PackageDetail.DESCRIPTION: lambda package: not package.repo_description,
    PackageDetail.PYPI: lambda package: not package.pypi_url,
    PackageDetail.PYPI_VERSION: lambda package: not package.pypi_version,
    PackageDetail.DOCUMENTATION: lambda package: not package.documentation_url,
    PackageDetail.GRIDS: lambda package: not package.grids,
}
