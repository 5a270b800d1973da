"""Makes catalogs for a guard, and asks it about them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from catalog.catalog_difference import compare
from catalog.indexed_catalog import Catalog
from catalog.sync.crawl_guard import CatalogRefused, Guard
from catalog.sync.crawl_report import CrawlReport
from catalog.sync.crawl_validators import Candidate
from tests.support.made_records import category, grid, package

NOTHING_WRONG = CrawlReport(600, 0, 0, 0)


@lru_cache(maxsize=50)
def catalog_of(packages: range | tuple[int, ...], categories: int = 1, **fields: Any) -> Catalog:
    """Return a catalog of packages with these ids, and with fields that are functions of their ids."""
    made = (package(id, **{name: of(id) for name, of in fields.items()}) for id in packages)
    return Catalog.build(made, [grid(1)], map(category, range(1, categories + 1)))


def various(id: int) -> int:
    """Return a value of a field that differs from package to package."""
    return id + 1


def candidate_of(before: Catalog | None, after: Catalog, report: CrawlReport = NOTHING_WRONG) -> Candidate:
    return Candidate(before, after, None if before is None else _difference(before, after), report)


_difference = lru_cache(maxsize=50)(compare)
"""Compares the same two catalogs once, though a guard is often asked about them again."""


def check(guard: Guard, before: Catalog | None, after: Catalog, *, accept: bool = False) -> str:
    """Return what it says; nothing if it lets the catalog pass."""
    try:
        guard.check(candidate_of(before, after), accept=accept)
    except CatalogRefused as refused:
        return refused.crawl.reason
    return ""
