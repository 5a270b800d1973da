"""Bounds what the other rooms remember: one mapping for all caches, limited by entries, by size and by age."""

from caching.bounded_cache import BoundedCache

__all__ = ["BoundedCache"]
