"""Serves the catalog as files under ``/catalog``: a list of versions, their files, and the changes between them."""

from web.catalog_files.file_routes import EXPOSED, CatalogFileRoutes

__all__ = ["EXPOSED", "CatalogFileRoutes"]
