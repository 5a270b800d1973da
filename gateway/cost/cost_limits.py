"""Refuses operations by what they are predicted to cost."""

from __future__ import annotations

from graphql import GraphQLError

from engine import TooComplex
from gateway.cost.cost_formula import Prediction


def why_too_dear(prediction: Prediction, most_values: int) -> GraphQLError | None:
    """Return why an operation may not run whose answer is predicted to have more than ``most_values``; ``None`` if it
    may.

    Lists in lists multiply: a document of 150 bytes had an answer of 600 MB.
    """
    values, path = prediction.most_values, prediction.dearest
    if values <= most_values:
        return None
    sentence = (
        f"The answer could have {values:,} values, with lists as long as those of the catalog; {most_values:,} are "
        f"allowed. Most of them are at {path}. Ask for shorter pages or fewer nested lists."
    )
    return GraphQLError(sentence, original_error=TooComplex(sentence, "values", most_values, values, path))
