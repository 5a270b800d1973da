"""Holds the records of one kind that a catalog knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from catalog import Catalog
from upstream.client import GridRecord, PackageRecord, R


@dataclass(frozen=True, slots=True)
class KnownRecords(Generic[R]):
    """Holds the records of one kind that the catalog knows, or none if there is no catalog."""

    records: Mapping[int, R] = field(default_factory=dict)
    slugs: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    """Whether these are all records of the kind."""


def known_packages(catalog: Catalog) -> KnownRecords[PackageRecord]:
    """Return the packages of a catalog."""
    return KnownRecords(catalog.packages, catalog.package_slugs, whole=True)


def known_grids(catalog: Catalog) -> KnownRecords[GridRecord]:
    """Return the grids of a catalog."""
    return KnownRecords(catalog.grids, catalog.grid_slugs, whole=True)
