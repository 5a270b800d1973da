"""Finds records by words in the catalog, when the search of upstream cannot answer."""
