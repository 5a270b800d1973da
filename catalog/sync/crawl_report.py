"""Reports on a crawl: how many rows it read, and what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """Counts the rows of all lists."""

    rows: int
    kept: int
    """Records that could not be read and keep their last good version."""
    without_slug: int
    """Rows that could not be read because their slug is missing or no text."""
    contradictions: int
    """How often a record names another that does not exist, or that does not name it in return."""
