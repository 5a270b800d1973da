"""Predicts what operations cost, before they run."""

from gateway.cost.catalog_averages import USUAL_AVERAGES, CatalogAverages, catalog_averages
from gateway.cost.cost_extension import cost_extension
from gateway.cost.cost_limits import CostLimits, why_too_dear
from gateway.cost.cost_prediction import CostPredictor, Prediction, cost_predictors
from gateway.cost.operation_cost import OperationCost

__all__ = [
    "USUAL_AVERAGES",
    "CatalogAverages",
    "CostLimits",
    "CostPredictor",
    "OperationCost",
    "Prediction",
    "catalog_averages",
    "cost_extension",
    "cost_predictors",
    "why_too_dear",
]
