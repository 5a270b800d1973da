"""Makes the ``extensions`` of a response with a receipt: requests to upstream, freshness, work and cost."""

from __future__ import annotations

from catalog import SnapshotStatus
from gateway.cost import CostLimits, cost_extension
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import PreparedRequest
from resolvers.loading import Context
from upstream.client import Receipt


async def response_extensions(
    prepared: PreparedRequest,
    answer: GraphQLAnswer,
    context: Context,
    receipt: Receipt,
    limits: CostLimits,
) -> dict[str, object]:
    """Return what a request for a receipt is told about its answer: requests to upstream, freshness, work and cost."""
    prediction = prepared.prediction
    assert prediction is not None
    return {
        "upstream": receipt.summary(),
        "freshness": freshness(context.status, receipt),
        "work": {"steps": context.work.spent, "max": context.work.most},
        "cost": await cost_extension(prediction, answer.body, len(receipt.exchanges), limits),
    }


def freshness(status: SnapshotStatus, receipt: Receipt) -> dict[str, object]:
    """Return the version and the age of the catalog behind an answer, and how many keys were not looked up."""
    return {
        "version": status.version,
        "refreshedAt": status.refreshed_at and status.refreshed_at.isoformat(),
        "ageSeconds": status.age_seconds,
        "stale": status.stale,
        "syncing": status.syncing,
        "notLookedUp": len(receipt.not_looked_up),
    }
