"""Makes ``extensions.cost``: what an operation was predicted to cost, and what its answer did cost."""

from __future__ import annotations

from typing import Any

import msgspec

from engine import turns
from gateway.cost.cost_limits import CostLimits
from gateway.cost.cost_prediction import Prediction
from schema import UPSTREAM_REQUEST

MAX_COUNTED = 1_000_000
"""The bytes of the largest answer whose values are counted. Reading a larger one would block the event loop for more
than five milliseconds."""

_AT_ONCE = 2_000
"""How many values are counted before the clock is looked at: about 0.3 milliseconds."""


async def cost_extension(
    prediction: Prediction, body: bytes, upstream_requests: int, limits: CostLimits
) -> dict[str, object]:
    """Return the predicted and the actual cost of an answer with this body, and the limits, as clients see them."""
    return {
        "predicted": prediction.cost.told(),
        "actual": await counted_cost(prediction, body, upstream_requests),
        "limit": limits.told(),
    }


async def counted_cost(prediction: Prediction, body: bytes, upstream_requests: int) -> dict[str, int | None]:
    """Return the cost of an answer as clients see it; the weights of fields are as they were predicted.

    The units and values of an answer beyond a million bytes are ``None``. An answer without data has no values.
    """
    units, values = None, None
    if len(body) <= MAX_COUNTED:
        objects, leaves = await _objects_and_leaves(msgspec.json.decode(body).get("data"))
        values = objects + leaves
        units = 1 + prediction.weights + objects + UPSTREAM_REQUEST * upstream_requests
    return {"units": units, "values": values, "bytes": len(body), "upstreamRequests": upstream_requests}


async def _objects_and_leaves(data: Any) -> tuple[int, int]:
    """Return how many objects an answer has below its root, and how many leaves and nulls."""
    objects, leaves = -1, 0
    waiting = [data]
    while waiting:
        for _ in range(min(_AT_ONCE, len(waiting))):
            value = waiting.pop()
            if value.__class__ is dict:
                objects += 1
                waiting += value.values()
            elif value.__class__ is list:
                waiting += value
            else:
                leaves += 1
        if turns().is_over():
            await turns().next()
    return (objects, leaves) if data is not None else (0, 0)
