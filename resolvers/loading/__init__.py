"""Loads records for one request: from its catalog, or from upstream in batches."""

from resolvers.loading.key_lookup import MAX_KEYS
from resolvers.loading.record_loaders import Loaders
from resolvers.loading.request_context import Context, EntityBudget

__all__ = [
    "MAX_KEYS",
    "Context",
    "EntityBudget",
    "Loaders",
]
