"""Holds the records that a look or a live answer has shown, and derives what they prove about others.

Upstream has one table that says which package is on which grid (contract section 2). So a grid that names a package
proves that the package names the grid, and the other way round. A record that was shown is taken into the catalog
together with the memberships that it proves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from catalog.indexed_catalog import Catalog
from upstream.client import CategoryRecord, GridRecord, PackageRecord, Record


@dataclass(frozen=True, slots=True)
class ShownRecords:
    """Holds records by id, as upstream has just shown them."""

    packages: dict[int, PackageRecord] = field(default_factory=dict)
    grids: dict[int, GridRecord] = field(default_factory=dict)
    categories: dict[int, CategoryRecord] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Add one record."""
        if isinstance(record, PackageRecord):
            self.packages[record.id] = record
        elif isinstance(record, GridRecord):
            self.grids[record.id] = record
        else:
            self.categories[record.id] = record

    @property
    def records(self) -> tuple[Record, ...]:
        """Return all of them."""
        return (*self.packages.values(), *self.grids.values(), *self.categories.values())


def is_news(catalog: Catalog, record: Record) -> bool:
    """Return whether a record that upstream has shown is new, or has got another slug."""
    known: Mapping[int, Record] = catalog.categories
    if isinstance(record, PackageRecord):
        known = catalog.packages
    elif isinstance(record, GridRecord):
        known = catalog.grids
    before = known.get(record.id)
    return before is None or before.slug != record.slug


def with_shown_records(catalog: Catalog, shown: ShownRecords) -> Catalog:
    """Return the catalog with these records, and with the memberships that they prove. It takes as long as a build."""
    packages = {**catalog.packages, **shown.packages}
    grids = {**catalog.grids, **shown.grids}
    for grid, members in _proved(catalog.packages, shown.packages).items():
        if grid in catalog.grids and grid not in shown.grids:
            old = grids[grid]
            grids[grid] = msgspec.structs.replace(old, packages=_with(old.packages, members))
    for package, places in _proved(catalog.grids, shown.grids).items():
        if package in catalog.packages and package not in shown.packages:
            record = packages[package]
            packages[package] = msgspec.structs.replace(record, grids=_with(record.grids, places))
    categories = {**catalog.categories, **shown.categories}
    return Catalog.build(packages.values(), grids.values(), categories.values())


def _proved(
    before: Mapping[int, PackageRecord] | Mapping[int, GridRecord],
    shown: Mapping[int, PackageRecord] | Mapping[int, GridRecord],
) -> dict[int, dict[int, bool]]:
    """Return for each record of the other kind which of those that were shown are with it now, and which are not."""
    proved: defaultdict[int, dict[int, bool]] = defaultdict(dict)
    for id, record in shown.items():
        now = set(_others(record))
        for other in now | set(_others(before[id]) if id in before else ()):
            proved[other][id] = other in now
    return proved


def _others(record: PackageRecord | GridRecord) -> Iterable[int]:
    return record.grids if isinstance(record, PackageRecord) else record.packages


def _with(ids: tuple[int, ...], proved: Mapping[int, bool]) -> tuple[int, ...]:
    """Return the ids without those that are no longer there, and with those that have come."""
    new = (id for id, is_there in proved.items() if is_there and id not in ids)
    return (*(id for id in ids if proved.get(id, True)), *new)
