"""Measures what predictions need to know of a catalog: how long its lists are, how many records it has, and how many
bytes their fields take."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice

import msgspec
from graphql import GraphQLObjectType
from strawberry.types.field import StrawberryField

from catalog import Catalog
from resolvers.lists import OTHER_SIZE, USUAL_SIZES, Length, ListSizes, list_sizes
from schema import schema

SAMPLE = 100
"""How many evenly spread records of a kind are encoded to measure their fields, which takes three milliseconds."""

PAGE = 250
"""How many records Django Packages gives in one page (contract, section 2)."""

_BYTES_OF_TYPES: Mapping[str, float] = {
    "Int": 4,
    "Float": 6,
    "Boolean": 5,
    "DateTime": 27,
    "ID": 22,
    "__typename": 10,
}
_OTHER_BYTES = 20.0

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, eq=False)
class CatalogAverages:
    """Holds the averages of one catalog, or those of the real site while there is none."""

    lists: ListSizes
    records: Mapping[str, int]
    """The number of records of each type of the graph."""
    bytes: Mapping[tuple[str, str], float]
    """The mean bytes of the value of a field, by type and field, for fields that a record has as they are."""
    is_known: bool
    """Whether there is a catalog, so that records need no request."""

    def length(self, type_: str, field: str) -> Length:
        """Return how long the list of a field without arguments is."""
        return self.lists.get((type_, field), OTHER_SIZE)

    def bytes_of(self, field: tuple[str, str], type_: str) -> float:
        """Return about how many bytes the value of a leaf takes, or an item of a list of leaves."""
        measured = self.bytes.get(field)
        return _BYTES_OF_TYPES.get(type_, _OTHER_BYTES) if measured is None else measured

    def pages(self, type_: str) -> int:
        """Return the most requests that it takes to read all records of a type from Django Packages."""
        return -(-self.records.get(type_, PAGE) // PAGE)


USUAL_AVERAGES = CatalogAverages(
    USUAL_SIZES,
    {"Package": 5400, "Grid": 500, "Category": 6, "Contributor": 30_000},
    {},
    is_known=False,
)
"""The averages of the real site (contract, section 3)."""


def catalog_averages(catalog: Catalog) -> CatalogAverages:
    """Return the averages of a catalog, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    records: Mapping[str, Collection[object]] = {
        "Package": catalog.packages.values(),
        "Grid": catalog.grids.values(),
        "Category": catalog.categories.values(),
    }
    counts = {name: len(each) for name, each in records.items()}
    counts["Contributor"] = len(catalog.contributor_packages)
    sizes = {
        (name, field): mean
        for name, each in records.items()
        for field, mean in _field_bytes(name, each).items()
    }
    return CatalogAverages(list_sizes(catalog), counts, sizes, is_known=True)


def _field_bytes(type_name: str, records: Collection[object]) -> dict[str, float]:
    """Return the mean bytes of each field that is an attribute of the records. A list counts by its items."""
    sample = list(islice(records, 0, None, max(1, len(records) // SAMPLE)))
    type_ = schema._schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    found: dict[str, float] = {}
    for name, field in type_.fields.items():
        definition = (field.extensions or {}).get("strawberry-definition")
        attribute = definition.python_name if isinstance(definition, StrawberryField) else name
        values = [getattr(each, attribute) for each in sample if hasattr(each, attribute)]
        lists = [each for each in values if isinstance(each, list | tuple)]
        items = [item for each in lists for item in each] if lists else values
        if items:
            # Brackets and commas are one byte more than there are items.
            found[name] = (len(_encode(items)) - len(items) - 1) / len(items)
    return found
