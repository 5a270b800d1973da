"""Describes the health of the gateway: its catalog, how that is followed, and how Django Packages answers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from catalog.freshness import SnapshotStatus
from catalog.refused_crawls import RefusedCrawl
from upstream.client import ClientHealth


class FollowingHealth(msgspec.Struct, frozen=True):
    """Says how this process follows upstream. Where it does not lead, another one does, or nobody."""

    follows: bool
    """Whether it follows upstream at all. If not, it takes what others store."""
    leads: bool
    outcomes: Mapping[str, int]
    """How many attempts to refresh the catalog ``succeeded``, were ``refused``, ``failed``, or failed with a code."""
    failures_in_a_row: int
    seconds_since_success: float | None
    """The seconds since the last attempt that succeeded, or since this process began to lead; ``None`` if it does not
    lead."""
    last_error: str | None
    """Why the last attempt failed; ``None`` if it did not."""
    refused: RefusedCrawl | None
    """``None`` if the last crawl was not refused."""


class SourceHealth(msgspec.Struct, frozen=True):
    """Holds the health of all parts at one moment."""

    catalog: SnapshotStatus
    following: FollowingHealth
    upstream: ClientHealth
    storage_error: str | None
    """Says why the storage could not be used lately, as the end of a sentence; ``None`` if it could. Answers
    do not need it."""
