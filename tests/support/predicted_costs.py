"""Predicts what operations cost over given averages, and prepares requests with a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphql import parse

from gateway.cost import USUAL_AVERAGES, CatalogAverages, Prediction, cost_predictors
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.request_document import RequestDocument
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
    return cost_predictors(parse(text))[name].predicted(variables, None, averages)


def prepared_whole(gateway: Gateway, request: GraphQLRequest) -> PreparedRequest:
    """Return a request with its document as it is found that has no shape in common with others."""
    document = gateway.documents.read(request.query)
    formulas = {} if document.node is None or document.errors else cost_predictors(document.node)
    formula = formulas.get(request.operation_name)
    prediction = None if formula is None else formula.predicted(request.variables, None, USUAL_AVERAGES)
    found = RequestDocument(document, request.query, formulas)
    return PreparedRequest.of(request, found, gateway.source.current(), prediction)
