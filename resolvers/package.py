"""The relations of a package."""

from __future__ import annotations

from resolvers.relation import ToMany, ToOne
from upstream.records import Category, Grid

category: ToOne[Category] = ToOne("category", lambda loaders: loaders.categories)
"""The category that the package names."""

grids: ToMany[Grid] = ToMany("grids", lambda loaders: loaders.grids)
"""The grids that the package names, by title; an item that failed is its error."""
