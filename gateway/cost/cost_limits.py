"""Limits what an operation may cost, and refuses what is predicted to cost more."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import GraphQLError

from engine import TooComplex
from gateway.cost.cost_prediction import Prediction


@dataclass(frozen=True, slots=True)
class CostLimits:
    """Says what one operation may cost. Each limit is a setting."""

    values: int
    """The values of the answer, predicted before the operation runs."""
    work: int
    """The steps of work, counted while it runs."""
    bytes: int
    """The bytes of the answer, counted while it is made."""
    seconds: float

    def told(self) -> dict[str, float]:
        """Return the limits as clients see them."""
        return {"values": self.values, "work": self.work, "bytes": self.bytes, "seconds": self.seconds}


def why_too_dear(prediction: Prediction, most_values: int) -> GraphQLError | None:
    """Return why an operation may not run whose answer is predicted to have more than ``most_values``; ``None`` if it
    may.

    Nested lists multiply: before this limit, a document of 150 bytes had an answer of 600 MB.
    """
    values, path = prediction.most_values, prediction.dearest
    if values <= most_values:
        return None
    sentence = (
        f"The answer could have {values:,} values, with lists as long as those of the catalog; {most_values:,} are "
        f"allowed. Most of them are at {path}. Ask for shorter pages or fewer nested lists."
    )
    return GraphQLError(sentence, original_error=TooComplex(sentence, "values", most_values, values, path))
