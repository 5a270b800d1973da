"""Follows upstream: crawls it, looks for what is new and publishes what changed."""

from importlib import import_module
from typing import TYPE_CHECKING

from catalog.sync.crawl_guard import CatalogRefused
from catalog.sync.crawl_validators import GuardLimits
from catalog.sync.schedule import ALONE, FIRST_RETRY, LEASE, LONGEST_RETRY, LOOK, PROBE, Schedule

if TYPE_CHECKING:
    from catalog.sync.refresher import CrawlResult

__all__ = [
    "ALONE",
    "FIRST_RETRY",
    "LEASE",
    "LONGEST_RETRY",
    "LOOK",
    "PROBE",
    "CatalogRefused",
    "CrawlResult",
    "GuardLimits",
    "Schedule",
]

_IMPORTED_WHEN_ASKED_FOR = {
    "CrawlResult": "catalog.sync.refresher",
}
"""They bring the HTTP client, which most commands never need."""


def __getattr__(name: str) -> object:
    """Import a name of the slower modules when somebody asks for it."""
    if name not in _IMPORTED_WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_WHEN_ASKED_FOR[name]), name)
