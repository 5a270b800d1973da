"""Finds which rows of the catalog a filter matches.

Texts are compared by their Unicode case folding, and times as instants, so that offsets do not matter. Each condition
is one pass over a column, and conditions are combined as masks (``catalog.columnar_table``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any, NamedTuple, TypeVar

from catalog import Catalog, Mask, Table, commits_in_52_weeks, grid_table, last_commit, package_table
from catalog.history import AddedAndRemoved
from resolvers.client_errors import BadUserInput
from resolvers.current_time import now
from resolvers.filters import filter_columns
from resolvers.filters.filter_inputs import DateTimeRange, GridFilter, IntRange, PackageDetail, PackageFilter
from upstream.client import PackageRecord, R

NOTHING_MOVED = AddedAndRemoved()

MAX_CONDITIONS = 100
"""The most conditions of one filter, including nested ones. Each is a pass over the catalog."""

MAX_TEXT = 1000
MAX_DAYS = 36_500
MAX_NAMED = 20
"""The most slugs of categories that an error names."""
MAX_SHOWN = 50
"""The most characters of a wrong value that an error repeats."""

Filter = TypeVar("Filter", PackageFilter, GridFilter)
C = TypeVar("C")
_Named = tuple[tuple[str, C | None, Callable[[PackageRecord], Any]], ...]
"""The name of a condition, the condition if it is given, and the column that it is about."""


class Match(NamedTuple):
    """Holds the rows that a filter matches, and the time from and until which it does: seconds since 1970, both
    included."""

    rows: Mask
    since: float
    until: float


def matching_packages(
    catalog: Catalog, filter: PackageFilter, argument: str, added_and_removed: AddedAndRemoved = NOTHING_MOVED
) -> Match:
    """Return the packages that match; ``argument`` names the filter in errors.

    :raises BadUserInput: a condition makes no sense.
    """
    packages = _PackageConditions(catalog, argument, added_and_removed)
    rows = _matching(filter, argument, catalog.view(package_table), packages.conditions)
    return Match(rows, packages.since, packages.until)


def matching_grids(catalog: Catalog, filter: GridFilter, argument: str) -> Match:
    """Return the grids that match; ``argument`` names the filter in errors.

    :raises BadUserInput: a condition makes no sense.
    """
    grids = _GridConditions(catalog, argument)
    return Match(_matching(filter, argument, catalog.view(grid_table), grids.conditions), -inf, inf)


def too_many_conditions(argument: str) -> BadUserInput:
    """Return the error for a filter with too many conditions."""
    return BadUserInput(f"{argument} has more than {MAX_CONDITIONS} conditions.")


def _matching(
    filter: Filter, argument: str, table: Table[int, R], conditions: Callable[[Filter], Iterable[Mask]]
) -> Mask:
    mask = table.every
    for condition in conditions(filter):
        mask &= condition
    for other in filter.and_ or ():
        mask &= _matching(other, argument, table, conditions)
    if filter.or_ is not None:
        if not filter.or_:
            raise BadUserInput(f"{argument} has an empty or; give it at least one filter.")
        any_of = 0
        for other in filter.or_:
            any_of |= _matching(other, argument, table, conditions)
        mask &= any_of
    if filter.not_ is not None:
        mask &= table.every ^ _matching(filter.not_, argument, table, conditions)
    return mask


class _PackageConditions:
    """Evaluates the conditions of a package filter, each as a mask."""

    def __init__(self, catalog: Catalog, argument: str, added_and_removed: AddedAndRemoved) -> None:
        self._catalog = catalog
        self._added_and_removed = added_and_removed
        self._table = catalog.view(package_table)
        self._read = _ConditionReader(argument)
        self.since, self.until = -inf, inf
        """The time from and until which the conditions evaluated so far match the same rows."""

    def conditions(self, filter: PackageFilter) -> Iterable[Mask]:
        yield from self._memberships(filter)
        yield from self._texts(filter)
        table, read = self._table, self._read
        ranges: _Named[IntRange] = (
            ("stars", filter.stars, filter_columns.stars),
            ("forks", filter.forks, filter_columns.forks),
            ("commits", filter.commits, commits_in_52_weeks),
            ("gridCount", filter.grid_count, filter_columns.grid_count),
        )
        for name, bounds, value_of in ranges:
            if bounds is not None:
                yield _within(table, value_of, *read.numbers(name, bounds))
        spans: _Named[DateTimeRange] = (
            ("created", filter.created, filter_columns.created),
            ("modified", filter.modified, filter_columns.modified),
            ("lastCommit", filter.last_commit, last_commit),
            ("lastCommitAt", filter.last_commit_at, last_commit),
        )
        for name, span, value_of in spans:
            if span is not None:
                yield _between(table, value_of, *read.moments(name, span))
        yield from self._moved(filter)
        if filter.active_within_days is not None:
            yield self._active(86_400 * read.days("activeWithinDays", filter.active_within_days))
        for wanted, is_missing in (
            (filter.has_pypi_release, filter_columns.IS_MISSING[PackageDetail.PYPI_VERSION]),
            (filter.has_documentation, filter_columns.IS_MISSING[PackageDetail.DOCUMENTATION]),
        ):
            if wanted is not None:
                missing = table.mask(table.column(is_missing))
                yield table.every ^ missing if wanted else missing
        for detail in filter.missing or ():
            yield table.mask(table.column(filter_columns.IS_MISSING[detail]))

    def _active(self, seconds: int) -> Mask:
        moment = now().timestamp()
        after = moment - seconds
        commits = self._table.numbers(last_commit)
        self.since = max(self.since, moment)
        # The result holds until the oldest of these commits is too old.
        self.until = min(self.until, min((each for each in commits if each >= after), default=inf) + seconds)
        return _between(self._table, last_commit, after, inf)

    def _moved(self, filter: PackageFilter) -> Iterable[Mask]:
        packages, moved = self._catalog.packages, self._added_and_removed
        added, removed = moved.added, moved.removed
        if filter.added_after is not None:
            moment = self._read.moment("addedAfter", filter.added_after)
            yield self._table.among(
                id for id, package in packages.items() if added.get(id, package.created.timestamp()) > moment
            )
        if filter.removed_after is not None:
            moment = self._read.moment("removedAfter", filter.removed_after)
            yield self._table.among(id for id, at in removed.items() if at > moment and id in packages)

    def _memberships(self, filter: PackageFilter) -> Iterable[Mask]:
        catalog, table = self._catalog, self._table
        if filter.category is not None:
            category = self._read.category(filter.category, catalog.category_slugs)
            yield table.among(catalog.category_packages[category])
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
            yield table.mask([host == other for other in table.column(filter_columns.repository_host)])

    def _on_grid(self, slug: str) -> Mask:
        grid = self._catalog.grid_slugs.get(slug)
        return 0 if grid is None else self._table.among(self._catalog.grid_packages[grid])

    def _texts(self, filter: PackageFilter) -> Iterable[Mask]:
        for name, text, text_of in (
            ("text", filter.text, filter_columns.package_text),
            ("title", filter.title, filter_columns.title),
            ("slug", filter.slug, filter_columns.slug),
            ("description", filter.description, filter_columns.repo_description),
        ):
            if text is not None:
                yield _containing(self._table, text_of, self._read.text(name, text))


class _GridConditions:
    """Evaluates the conditions of a grid filter, each as a mask."""

    def __init__(self, catalog: Catalog, argument: str) -> None:
        self._table = catalog.view(grid_table)
        self._read = _ConditionReader(argument)

    def conditions(self, filter: GridFilter) -> Iterable[Mask]:
        table, read = self._table, self._read
        if filter.text is not None:
            yield _containing(table, filter_columns.grid_text, read.text("text", filter.text))
        if filter.title is not None:
            yield _containing(table, filter_columns.grid_title, read.text("title", filter.title))
        if filter.package_count is not None:
            yield _within(
                table, filter_columns.package_count, *read.numbers("packageCount", filter.package_count)
            )
        for wanted, flag_of in (
            (filter.is_locked, filter_columns.is_locked),
            (filter.header, filter_columns.header),
        ):
            if wanted is not None:
                flagged = table.mask(table.column(flag_of))
                yield flagged if wanted else table.every ^ flagged


class _ConditionReader:
    """Reads the values of conditions, and refuses those that make no sense."""

    def __init__(self, argument: str) -> None:
        self._argument = argument

    def numbers(self, name: str, bounds: IntRange) -> tuple[float, float]:
        low = -inf if bounds.min is None else bounds.min
        high = inf if bounds.max is None else bounds.max
        if low > high:
            raise BadUserInput(f"{self._argument} has {name} with min {low} above max {high}.")
        return low, high

    def moments(self, name: str, span: DateTimeRange) -> tuple[float, float]:
        after = -inf if span.after is None else self.moment(name, span.after)
        before = inf if span.before is None else self.moment(name, span.before)
        if after > before:
            raise BadUserInput(f"{self._argument} has {name} with after later than before.")
        return after, before

    def days(self, name: str, days: int) -> int:
        if not 0 <= days <= MAX_DAYS:
            raise BadUserInput(f"{self._argument} has {name} {days}; it can be 0 to {MAX_DAYS}.")
        return days

    def text(self, name: str, text: str) -> str:
        if len(text) > MAX_TEXT:
            raise BadUserInput(
                f"{self._argument} has {name} with {len(text):,} characters; it can have {MAX_TEXT:,}."
            )
        if "\0" in text:
            raise BadUserInput(f"{self._argument} has {name} with a NUL character, which is not allowed.")
        return text.casefold()

    def keys(self, name: str, keys: Sequence[str]) -> Sequence[str]:
        if not 1 <= len(keys) <= MAX_CONDITIONS:
            raise BadUserInput(
                f"{self._argument} has {name} with {len(keys)} slugs; it can have 1 to {MAX_CONDITIONS}."
            )
        return keys

    def category(self, slug: str, known: Mapping[str, int]) -> int:
        if (category := known.get(slug)) is None:
            slugs = ", ".join(f'"{each}"' for each in sorted(known)[:MAX_NAMED])
            raise BadUserInput(
                f'{self._argument} has category "{slug[:MAX_SHOWN]}", which is the slug of no category; '
                f"it can be {slugs}{', or another' if len(known) > MAX_NAMED else ''}."
            )
        return category

    def moment(self, name: str, moment: datetime) -> float:
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
