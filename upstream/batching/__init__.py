"""Joins what many requests want from upstream into the cheapest requests."""

from upstream.batching.batcher import Batcher
from upstream.batching.concurrent_loads import all_or_first_error
from upstream.batching.request_planning import GUESSED_COUNTS, Window
from upstream.batching.request_sending import ALL_CATEGORIES

__all__ = [
    "ALL_CATEGORIES",
    "GUESSED_COUNTS",
    "Batcher",
    "Window",
    "all_or_first_error",
]
