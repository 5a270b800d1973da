"""Answers a request that asks what its operation would cost: the prediction, the plan and the limits. Nothing runs."""

from __future__ import annotations

import msgspec

from engine import Engine, Fallback
from gateway.cost import CostLimits, why_too_dear
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import PreparedRequest

MAX_PLAN = 20_000
"""The most characters of a plan that are told. The plan of the canonical query has about 600."""


async def explained(prepared: PreparedRequest, engine: Engine | None, limits: CostLimits) -> GraphQLAnswer:
    """Return what a request with a prediction would cost, in ``extensions.explain`` of an answer without data."""
    prediction = prepared.prediction
    assert prediction is not None
    plan, handed_over = await _plan(prepared, engine)
    told = {
        "allowed": why_too_dear(prediction, limits.values) is None,
        "predicted": prediction.cost.told(),
        "atMost": {"values": prediction.most_values, "path": prediction.dearest},
        "limit": limits.told(),
        "plan": plan,
        "engine": {"used": plan is not None, "handedOver": handed_over},
    }
    return GraphQLAnswer(msgspec.json.encode({"data": None, "extensions": {"explain": told}}), failed=False)


async def _plan(prepared: PreparedRequest, engine: Engine | None) -> tuple[list[str] | None, str | None]:
    """Return the plan in lines, or why the engine has none."""
    found, request = prepared.found, prepared.request
    if engine is None:
        return None, None
    assert found.document.node is not None
    try:
        lines = await engine.outline(
            found.text, found.document.node, request.operation_name, request.variables, MAX_PLAN
        )
    except Fallback as error:
        return None, error.reason
    return lines, None
