"""How a field gets its data: the loaders of one request, then one file for each type."""
