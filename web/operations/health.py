"""What an operator's machines ask: is the process alive, and can it answer?"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.catalog_source import CatalogSource
from catalog.sync.sync import Sync


async def healthz(_request: Request) -> Response:
    """Alive: the process answers. It does not ask upstream."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Ready: an answer can be given, from the catalog or live. Else the status is 503."""
    source: CatalogSource = request.app.state.gateway.source
    answers_from = await source.ready()
    body = {
        "status": "ready" if answers_from else "not ready",
        "answersFrom": answers_from,
        "upstream": source.client.exchanger.breaker.state,
        "catalog": catalog_status(source),
        "following": _following(source.sync),
    }
    encoded = msgspec.json.encode(body)
    return Response(encoded, 200 if answers_from else 503, media_type="application/json")


def catalog_status(source: CatalogSource) -> dict[str, object]:
    """What is known of the catalog, as JSON has it."""
    status = source.status(source.sync.snapshot)
    return {
        "version": status.version,
        "refreshedAt": status.refreshed_at,
        "ageSeconds": status.age_seconds,
        "stale": status.stale,
        "packageCount": status.package_count,
        "gridCount": status.grid_count,
        "categoryCount": status.category_count,
        "syncing": status.syncing,
    }


def _following(sync: Sync) -> dict[str, object]:
    """How this process follows upstream, as JSON has it. Where it does not lead, another one does, or nobody."""
    attempts, doubt = sync.attempts, sync.guard.doubt
    refused = doubt and {
        "reason": doubt.reason,
        "knownPackages": doubt.known,
        "readPackages": doubt.read,
        "gonePackages": len(doubt.gone),
        "agreedSeconds": int(sync.guard.seconds),
    }
    return {
        "leads": sync.leads,
        "secondsSinceSuccess": int(attempts.seconds_since_success) if sync.leads else None,
        "failuresInARow": attempts.failures_in_a_row,
        "lastError": None if sync.last_error is None else str(sync.last_error),
        "refused": refused,
    }
