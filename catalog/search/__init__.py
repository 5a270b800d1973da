"""Finds records by words in the catalog, when the search of upstream cannot answer."""

from catalog.search.full_text_index import LazyFullTextIndex
from catalog.search.query_syntax import words_of

__all__ = [
    "LazyFullTextIndex",
    "words_of",
]
