"""Says why there is no catalog for a field that needs it whole, and when there may be one."""

from __future__ import annotations

from catalog.freshness import Snapshot
from catalog.sync.crawl_progress import CrawlProgress
from upstream.client import UpstreamError, UpstreamUnavailable

SOON = 5.0
"""Seconds after which a request may try again if it is unknown when there will be a catalog."""


def no_catalog(
    snapshot: Snapshot | None, failure: UpstreamError | None, follow: bool, progress: CrawlProgress | None
) -> UpstreamUnavailable:
    """Return the error for a field that needs the whole catalog when there is none, or only an expired one."""
    if snapshot is not None:
        return UpstreamUnavailable(
            f"This needs the whole catalog, but it was last refreshed on {snapshot.refreshed_at:%Y-%m-%d}, "
            "which is too long ago."
        )
    if not follow:
        return UpstreamUnavailable("This needs the whole catalog, which this gateway does not have.")
    if failure is not None:
        return UpstreamUnavailable(
            f"This needs the whole catalog, which could not be read yet. {failure}",
            retry_after=failure.retry_after,
        )
    seconds = None if progress is None else progress.seconds_left
    if progress is None or seconds is None:
        # It begins, or another process crawls.
        return UpstreamUnavailable(
            "This needs the whole catalog, which is still being read. Try again in a moment.",
            retry_after=SOON,
        )
    return UpstreamUnavailable(
        f"This needs the whole catalog, which is still being read: {progress}. Try again in {seconds} s.",
        retry_after=seconds,
    )
