"""Resolves the relations of a package."""

from __future__ import annotations

from resolvers.loading.record_relations import ToMany, ToOne
from upstream.client import CategoryRecord, GridRecord

category: ToOne[CategoryRecord] = ToOne("category", CategoryRecord, lambda loaders: loaders.categories)
"""The relation to the category that the package names."""

grids: ToMany[GridRecord] = ToMany("grids", GridRecord, lambda loaders: loaders.grids)
"""The relation to the grids that the package names, by title. An item that failed is its error."""
