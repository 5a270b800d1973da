"""Joins what many requests want from upstream into the cheapest requests."""

from upstream.batching.batcher import Batcher
from upstream.batching.request_planning import Window
from upstream.batching.request_sending import ALL_CATEGORIES

__all__ = [
    "ALL_CATEGORIES",
    "Batcher",
    "Window",
]
