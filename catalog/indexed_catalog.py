"""Holds the whole catalog at one moment: an immutable snapshot with the indexes that joins, filters and sorts need.

A new state of Django Packages is a new :class:`Catalog`, which replaces the old one whole, so that a request sees one
state from start to end.

Build it in a thread, ``await asyncio.to_thread(Catalog.build, ...)``. At the size of the real catalog no
single call in it is long, so a turn of the event loop waits for a few of the interpreter's switch intervals:
15 ms at most as measured on a quiet machine. The garbage collector does not look at records (``gc=False``).

The indexes are plain dicts, typed as read-only: a type checker keeps them so, while a ``MappingProxyType``
doubles the time of every ``get`` of every request. Records are taken as they come: sharing their repeated
logins would save 5 of 57 MB, and cost the copying of every record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from catalog.pypi_and_repository import pypi_name, repository
from catalog.record_sorting import title_order
from upstream.client import (
    CategoryRecord,
    GridRecord,
    PackageRecord,
    R,
    Record,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Catalog:
    """Holds all records and their indexes. :meth:`build` makes it, and nothing in it ever changes.

    Wherever ids are "newest first" that is v4's own order, the highest id first (contract section 2).
    """

    version: str
    """32 hexadecimal digits, the same for the same content wherever it was built.

    The order of ``grid.packages`` does not count as content, because upstream's changes from request to request
    (contract section 2).
    """

    packages: Mapping[int, PackageRecord]
    """Newest first, as are the two below."""
    grids: Mapping[int, GridRecord]
    categories: Mapping[int, CategoryRecord]

    package_slugs: Mapping[str, int]
    """Slug to id, as are the two below. If records share a slug, the lowest id has it."""
    grid_slugs: Mapping[str, int]
    category_slugs: Mapping[str, int]

    pypi_names: Mapping[str, tuple[int, ...]]
    """Name by :func:`~catalog.pypi_and_repository.pypi_name` to package ids, ascending."""
    repositories: Mapping[str, tuple[int, ...]]
    """Address by :func:`~catalog.pypi_and_repository.repository` to package ids, ascending."""

    category_packages: Mapping[int, tuple[int, ...]]
    """Category to package ids, newest first. Has every category that is known or named by a package."""
    contributor_packages: Mapping[str, tuple[int, ...]]
    """Case-folded login to package ids, newest first."""
    grid_packages: Mapping[int, tuple[int, ...]]
    """Grid to the ids of its known packages, by title, regardless of case, and id: upstream leaves ties open
    (contract section 2)."""

    _views: dict[Callable[[Catalog], Any], Any] = field(init=False, default_factory=dict)

    @classmethod
    def build(
        cls,
        packages: Iterable[PackageRecord],
        grids: Iterable[GridRecord],
        categories: Iterable[CategoryRecord],
    ) -> Catalog:
        """Return the catalog of these records, whatever their order. If several records have one id, the last
        counts."""
        by_id = _newest_first(packages)
        grids_by_id = _newest_first(grids)
        categories_by_id = _newest_first(categories)
        return cls(
            version=_version(by_id, grids_by_id, categories_by_id),
            packages=by_id,
            grids=grids_by_id,
            categories=categories_by_id,
            package_slugs=_slugs(by_id),
            grid_slugs=_slugs(grids_by_id),
            category_slugs=_slugs(categories_by_id),
            pypi_names=_named(by_id, lambda package: pypi_name(package.pypi_url)),
            repositories=_named(by_id, lambda package: repository(package.repo_url)),
            category_packages=_category_packages(by_id, categories_by_id),
            contributor_packages=_contributor_packages(by_id),
            grid_packages={grid.id: _grid_packages(grid, by_id) for grid in grids_by_id.values()},
        )

    def view(self, make: Callable[[Catalog], T]) -> T:
        """Return what ``make`` makes of this catalog. It is made at its first use and then stays.

        It is stored under that function, so pass the same one every time. Two threads that ask at once both make it,
        with the same result.
        """
        if make not in self._views:
            self._views[make] = make(self)
        view: T = self._views[make]
        return view

    def __repr__(self) -> str:
        counts = f"{len(self.packages)} packages, {len(self.grids)} grids, {len(self.categories)} categories"
        return f"<Catalog {self.version}: {counts}>"


_encode = msgspec.json.Encoder().encode


def content(record: Record) -> bytes:
    """Return what counts of a record: its JSON, with the packages of a grid in ascending order."""
    # As JSON and not by ==, to which 12:00-05:00 and 13:00-04:00 are equal: clients see the difference.
    if isinstance(record, GridRecord):
        record = msgspec.structs.replace(record, packages=tuple(sorted(record.packages)))
    return _encode(record)


def _version(*kinds: Mapping[int, Record]) -> str:
    # Record by record: all of them as one text would need their size again in memory.
    version = sha256()
    for records in kinds:
        version.update(b"\n")
        for record in records.values():
            version.update(content(record))
    return version.hexdigest()[:32]


def _newest_first(records: Iterable[R]) -> dict[int, R]:
    by_id = {record.id: record for record in records}
    return {id: by_id[id] for id in sorted(by_id, reverse=True)}


def _slugs(newest_first: Mapping[int, Record]) -> dict[str, int]:
    return {record.slug: id for id, record in newest_first.items()}


def _named(
    packages: dict[int, PackageRecord], name_of: Callable[[PackageRecord], str | None]
) -> dict[str, tuple[int, ...]]:
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for package in reversed(packages.values()):
        if name := name_of(package):
            ids[name].append(package.id)
    return {name: tuple(theirs) for name, theirs in ids.items()}


def _category_packages(
    packages: Mapping[int, PackageRecord], categories: Mapping[int, CategoryRecord]
) -> dict[int, tuple[int, ...]]:
    ids: dict[int, list[int]] = {id: [] for id in categories}
    for package in packages.values():
        ids.setdefault(package.category, []).append(package.id)
    return {category: tuple(members) for category, members in ids.items()}


def _contributor_packages(packages: Mapping[int, PackageRecord]) -> dict[str, tuple[int, ...]]:
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for package in packages.values():
        # A dict for a set that keeps its order: one package can name a login in two spellings.
        for login in dict.fromkeys(map(str.casefold, package.participants)):
            ids[login].append(package.id)
    return {login: tuple(theirs) for login, theirs in ids.items()}


def _grid_packages(grid: GridRecord, packages: Mapping[int, PackageRecord]) -> tuple[int, ...]:
    known = [package for id in grid.packages if (package := packages.get(id))]
    return tuple(package.id for package in sorted(known, key=title_order))
