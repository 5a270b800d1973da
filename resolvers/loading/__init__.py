"""Loads records for one request: from its catalog, or from upstream in batches."""
