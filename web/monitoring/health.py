"""Answers what an operator's machines ask: is the process alive, and can it answer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog import CatalogSource, FollowingHealth, RefusedCrawl, SnapshotStatus, SourceHealth
from upstream.client import GOOD_OUTCOMES


async def healthz(_request: Request) -> Response:
    """Answer that the process is alive. This does not ask upstream."""
    return JSONResponse({"status": "ok"})


@dataclass(frozen=True, slots=True)
class Readiness:
    """Tells whether a gateway over this source can answer."""

    source: CatalogSource

    async def readyz(self, _request: Request) -> Response:
        """Tell whether an answer can be given, from the catalog or live. If not, the status is 503."""
        answers_from = await self.source.ready()
        health = self.source.health()
        body = {
            "status": "ready" if answers_from else "not ready",
            "answersFrom": answers_from,
            "upstream": "fails" if answers_from is None else _upstream(health),
            "breaker": health.upstream.breaker,
            "guard": "accepts" if health.following.refused is None else "refuses",
            "storage": "works" if health.storage_error is None else "fails",
            "storageError": _storage_error(health),
            "leader": _leader(health.following),
            "catalog": catalog_status(health.catalog),
            "following": _following(health.following),
        }
        encoded = msgspec.json.encode(body)
        return Response(encoded, 200 if answers_from else 503, media_type="application/json")


def _upstream(health: SourceHealth) -> Literal["answers", "fails", "not asked yet"]:
    """Return how upstream does, as this process has last seen it. A crawl that the guard refuses is an answer."""
    upstream, following = health.upstream, health.following
    if upstream.last_outcome is None and following.last_error is None:
        return "not asked yet"
    refresh_fails = following.last_error is not None and following.refused is None
    is_well = upstream.breaker == "closed" and upstream.last_outcome in GOOD_OUTCOMES
    return "answers" if is_well and not refresh_fails else "fails"


def _storage_error(health: SourceHealth) -> str | None:
    """Return why the storage cannot be used, in a sentence that does not say where it is."""
    return None if health.storage_error is None else f"The storage cannot be used: {health.storage_error}."


def _leader(following: FollowingHealth) -> Literal["this process", "another process"] | None:
    """Return which process crawls; ``None`` if this one must not."""
    if not following.follows:
        return None
    return "this process" if following.leads else "another process"


def catalog_status(status: SnapshotStatus) -> dict[str, object]:
    """Return what is known of the catalog, as a JSON object."""
    return {
        "version": status.version,
        "refreshedAt": status.refreshed_at,
        "ageSeconds": status.age_seconds,
        "stale": status.stale,
        "packageCount": status.package_count,
        "gridCount": status.grid_count,
        "categoryCount": status.category_count,
        "syncing": status.syncing,
        "pinned": status.pinned,
    }


def _following(following: FollowingHealth) -> dict[str, object]:
    """Return how this process follows upstream, as a JSON object."""
    seconds = following.seconds_since_success
    return {
        "leads": following.leads,
        "secondsSinceSuccess": None if seconds is None else int(seconds),
        "failuresInARow": following.failures_in_a_row,
        "lastError": following.last_error,
        "refused": None if following.refused is None else refused_crawl(following.refused),
    }


def refused_crawl(crawl: RefusedCrawl) -> dict[str, object]:
    """Return what is known of a crawl that the guard refused, as a JSON object."""
    return {
        "at": crawl.at,
        "reason": crawl.reason,
        "found": {finding.name: finding.number for finding in crawl.findings},
        "knownPackages": crawl.known,
        "readPackages": crawl.read,
        "added": crawl.added,
        "changed": crawl.changed,
        "removed": crawl.removed,
        "agreedSeconds": int(crawl.agreed_seconds),
    }
