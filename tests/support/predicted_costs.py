"""What operations are predicted to cost, over averages that are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphql import parse

from gateway.cost import USUAL_AVERAGES, CatalogAverages, Prediction, cost_formulas
from resolvers.lists import ListSizes


def averages_of(lists: ListSizes) -> CatalogAverages:
    """Return the averages of a known catalog with lists of these lengths."""
    return replace(USUAL_AVERAGES, lists=lists, is_known=True)


def predicted(
    text: str,
    averages: CatalogAverages = USUAL_AVERAGES,
    variables: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Prediction:
    """Return what an operation of a valid document is predicted to cost."""
    return cost_formulas(parse(text))[name].predicted(variables, None, averages)
