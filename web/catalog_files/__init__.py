"""Serves the catalog as files under ``/catalog``: its versions, the files of each, and what changed between."""

from web.catalog_files.file_routes import EXPOSED, CatalogFileRoutes

__all__ = ["EXPOSED", "CatalogFileRoutes"]
