"""Tells what each new version of the catalog changed."""

from catalog.history.change_feed import FeedEntry, FeedExcerpt, FeedReplaced

__all__ = [
    "FeedEntry",
    "FeedExcerpt",
    "FeedReplaced",
]
