"""Loads records for one request: from its catalog, or from upstream in batches."""

from resolvers.loading.key_lookup import MAX_KEYS
from resolvers.loading.request_context import Context, EntityBudget
from resolvers.loading.request_loaders import Loaders

__all__ = [
    "MAX_KEYS",
    "Context",
    "EntityBudget",
    "Loaders",
]
