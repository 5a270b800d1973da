"""Accepts a crawl that the guard has refused, when an operator says so where the catalog is stored.

The refused crawl was kept aside, so upstream is not read again, and the operator gets exactly the catalog that was
shown. Every process that shares the storage finds it there, as it finds any newer catalog.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.catalog_difference import CatalogDifference, compare
from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import GuardState
from catalog.storage.storage_port import StoragePort


class NothingToAccept(Exception):
    """No refused crawl is kept that could be accepted. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class AcceptedCrawl:
    """Holds the catalog that was accepted, and the one before it."""

    before: Catalog | None
    after: Catalog
    changes: CatalogDifference | None
    """The difference between the two; ``None`` if there was no catalog before."""


def accept_refused(storage: StoragePort, origin: str) -> AcceptedCrawl:
    """Make the crawl that is refused the stored catalog. ``origin`` names the upstream.

    :raises NothingToAccept: none is refused, or it cannot be accepted.
    :raises StorageUnavailable: the file cannot be used, or has the catalog of another upstream.
    """
    storage.check_upstream(origin)
    state = storage.guard_state()
    if state.refused is None:
        raise NothingToAccept("No crawl is refused, so there is nothing to accept.")
    difference = storage.refused_difference()
    if difference is None:
        why = "is too large to be kept" if state.refused.is_whole else "could not be read to its end"
        raise NothingToAccept(f"The refused crawl {why}, so it cannot be accepted. {state.refused.reason}")
    stored = storage.load()
    before = None if stored is None else Catalog.build(stored.packages, stored.grids, stored.categories)
    after = difference.applied_to(before)
    changes = None if before is None else compare(before, after)
    refreshed_at = state.refused.at if stored is None else max(state.refused.at, stored.refreshed_at)
    storage.save(
        version=f"{origin} {after.version}",
        refreshed_at=refreshed_at,
        packages=after.packages.values(),
        grids=after.grids.values(),
        categories=after.categories.values(),
        difference=changes,
        guard=GuardState(None, (*state.tolerated, *state.refused.findings)),
    )
    return AcceptedCrawl(before, after, changes)
