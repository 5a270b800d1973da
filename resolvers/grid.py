"""The relations of a grid."""

from __future__ import annotations

from resolvers.relation import ToMany
from upstream.records import Package

packages: ToMany[Package] = ToMany(
    "packages",
    lambda loaders: loaders.packages,
    index=lambda catalog: (catalog.grids, catalog.grid_packages),
)
"""The packages that the grid names, by title; an item that failed is its error."""
