"""Predicts what an operation costs, from how often each of its places occurs in the answer and what one costs.

A place occurs as often as the place above it, times the length of its list. Pages are as long as the request asks for,
and other lists as in the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import msgspec
from graphql import DocumentNode, IntValueNode, ListValueNode, OperationDefinitionNode, ValueNode

from gateway.cost.asked_lengths import AskedLength
from gateway.cost.catalog_averages import CatalogAverages
from gateway.cost.operation_cost import OperationCost
from gateway.cost.operation_tree import Leaf, Place, places_of
from schema import ASKS_ALWAYS, UPSTREAM_REQUEST

MAX_SAID = 2**31 - 1
"""The largest number that is reported, because nested lists multiply to numbers that no client can read."""

CACHED_PREDICTIONS = 32
"""How many predictions of one operation are cached, for different lengths that are asked for."""

_AROUND_DATA, _AROUND_KEY, _AROUND_OBJECT = 11, 4, 3
"""Bytes of JSON."""


class Prediction(msgspec.Struct, frozen=True):
    """Says what an operation will cost."""

    cost: OperationCost
    """The cost if its lists have the usual length."""
    weights: int
    """The units of the fields and filters that have a weight."""
    most_values: int
    """The values of the answer if at each place one list is the longest of its kind."""
    dearest: str
    """The path of the place with the most values, such as ``query.packages.nodes.grids``."""


def cost_predictors(document: DocumentNode) -> dict[str | None, CostPredictor]:
    """Return the predictors of the operations of a valid document by their names. A sole operation also has the name
    ``None``, for requests that name no operation."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    formulas = {each.name.value if each.name else None: CostPredictor(each, document) for each in operations}
    if len(operations) == 1:
        formulas[None] = next(iter(formulas.values()))
    return formulas


class CostPredictor:
    """Predicts the cost of one operation of a valid document, and caches its predictions for one catalog."""

    def __init__(self, operation: OperationDefinitionNode, document: DocumentNode) -> None:
        self._places = places_of(operation, document)
        asked = [each.asked for each in self._places if isinstance(each.asked, AskedLength)]
        self._asked = tuple(dict.fromkeys(asked))
        self._defaults = {
            each.variable.name.value: _constant(each.default_value)
            for each in operation.variable_definitions or ()
            if each.default_value is not None
        }
        self._averages: CatalogAverages | None = None
        self._cached: dict[tuple[int, ...], Prediction] = {}

    @property
    def memory(self) -> int:
        """Return about how many bytes the predictor takes with all that it caches."""
        predictions = CACHED_PREDICTIONS if self._asked else 1
        return 500 + 350 * predictions + sum(250 + 110 * len(each.leaves) for each in self._places)

    def predicted(
        self,
        variables: Mapping[str, Any] | None,
        literals: Mapping[str, Any] | None,
        averages: CatalogAverages,
    ) -> Prediction:
        """Return what the operation costs with these values of its variables. If the document stands for all texts of a
        shape, the values that stand for its literals are among them."""
        if averages is not self._averages:
            self._averages = averages
            self._cached = {}
        lengths: tuple[int, ...] = ()
        if self._asked:
            values = {**self._defaults, **(variables or {}), **(literals or {})}
            lengths = tuple([each.of(values) for each in self._asked])
        prediction = self._cached.get(lengths)
        if prediction is None:
            if len(self._cached) >= CACHED_PREDICTIONS:
                self._cached.clear()
            prediction = self._cached[lengths] = self._predict(lengths, averages)
        return prediction

    def _predict(self, lengths: tuple[int, ...], averages: CatalogAverages) -> Prediction:
        asked = dict(zip(self._asked, lengths, strict=True))
        places = self._places
        usual, most = [1.0], [1.0]
        root = places[0]
        objects, weights, values, most_values = 0.0, 0.0, float(len(root.leaves)), float(len(root.leaves))
        size, requests = _AROUND_DATA + _bytes(root.leaves, averages), 0.0
        records: dict[str, float] = {}
        dearest, dearest_values = root, most_values
        for place in places[1:]:
            above = usual[place.above]
            here, at_most = _items(place, above, most[place.above], asked, averages)
            usual.append(here)
            most.append(at_most)
            weights += place.weight * above
            objects += here if place.items is None else 0
            values += here * (1 + len(place.leaves))
            values_here = at_most * (1 + len(place.leaves))
            most_values += values_here
            if values_here > dearest_values:
                dearest, dearest_values = place, values_here
            size += above * (place.key + _AROUND_KEY) + here * _bytes_of_one(place, averages)
            requests += _requests(place, above, here, averages)
            if place.record is not None:
                records[place.record] = records.get(place.record, 0) + here
        units = 1 + objects + weights + UPSTREAM_REQUEST * requests
        known = sum(min(count, averages.records[name]) for name, count in records.items())
        numbers = [_said(each) for each in (units, values, known, size, requests)]
        return Prediction(OperationCost(*numbers), _said(weights), _said(most_values), self._path(dearest))

    def _path(self, place: Place) -> str:
        """Return the names of the fields that lead to a place. Aliases can be as long as clients like."""
        names = [place.field[1]]
        while place is not self._places[0]:
            place = self._places[place.above]
            names.append(place.field[1])
        return ".".join(reversed(names))


def _items(
    place: Place, above: float, most_above: float, asked: Mapping[AskedLength, int], averages: CatalogAverages
) -> tuple[float, float]:
    """Return how many objects or items a place has, if lists are usual, and if one of them is the longest."""
    if place.asked is not None:
        times = asked[place.asked] if isinstance(place.asked, AskedLength) else place.asked
        return above * times, most_above * times
    if not place.is_list:
        return above, most_above
    length = averages.length(*place.field)
    most = most_above * length.usual + length.longest - length.usual if most_above else 0.0
    return above * (length.usual if place.is_nested else length.mean), most


def _requests(place: Place, above: float, here: float, averages: CatalogAverages) -> float:
    """Return how many requests to Django Packages a place needs for what the catalog does not have."""
    if place.field in ASKS_ALWAYS:
        return above
    if averages.is_known or not place.asks_upstream:
        return 0.0
    return above if place.record is None else min(ceil(here), averages.pages(place.record))


def _bytes_of_one(place: Place, averages: CatalogAverages) -> float:
    if place.items is not None:
        return averages.bytes_of(place.items.field, place.items.type) + 1
    return _AROUND_OBJECT + _bytes(place.leaves, averages)


def _bytes(leaves: list[Leaf], averages: CatalogAverages) -> float:
    return sum([each.key + _AROUND_KEY + averages.bytes_of(each.field, each.type) for each in leaves])


def _said(number: float) -> int:
    return ceil(min(number, MAX_SAID))


def _constant(value: ValueNode) -> object:
    """Return the default value of a variable as far as it tells a length."""
    if isinstance(value, ListValueNode):
        return [None] * len(value.values)
    return int(value.value) if isinstance(value, IntValueNode) else None
