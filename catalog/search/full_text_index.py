"""Indexes one catalog for full-text search, for when upstream's search cannot be asked.

It is SQLite's FTS5 in memory, one row a record. Words are runs of letters and digits, whatever their case and
diacritics (``unicode61 remove_diacritics 2``); scripts without spaces are one word up to the next sign, found by
its beginning. There are no stop words and no stemming. ``catalog.search.query_syntax`` says what a query can say;
a word that is nowhere is taken for those spelt most like it (``catalog.search.similar_words``).

The score of a record is

    bm25 x (1 + log10(1 + stars) / 5), doubled if its title or slug is the whole query

where bm25 counts a word in the title ten times, in the slug or the name on PyPI five times, in the description
once, and a grid has its packages for stars. So a package with 100,000 stars has twice the score of an equal one
without. Ties: packages first, then the newest.
"""

from __future__ import annotations

import asyncio
import sqlite3
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log10
from threading import Lock
from weakref import finalize

from caching import BoundedCache
from catalog.catalog_difference import RecordKey
from catalog.indexed_catalog import Catalog
from catalog.pypi_and_repository import pypi_name
from catalog.search.query_syntax import Term, expression, parse, term_expression
from catalog.search.similar_words import SimilarWords
from upstream.client import GRID, PACKAGE

MAX_RANKINGS = 16
"""Rankings that are cached, so that the next pages of a search cost nothing. Each has 12 bytes a result."""

_POPULARITY_SHARE = 5

_TABLES = """
CREATE VIRTUAL TABLE words USING fts5(
    title, names, description, content='', tokenize='unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
CREATE TABLE popularity (place INTEGER PRIMARY KEY, factor REAL NOT NULL);
"""

_SEARCH = """
SELECT words.rowid, -bm25(words, 10, 5, 1) * factor * iif(words.rowid IN ({exact}), 2, 1) AS score
FROM words JOIN popularity ON place = words.rowid
WHERE words MATCH ? ORDER BY score DESC, words.rowid
"""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Holds all results of a search, the best first: row numbers in the index, and scores."""

    rows: array[int]
    scores: array[float]

    def behind(self, row: int | None, score: float) -> int:
        """Return how many results there are up to and including the record at ``row``, or, if that is not among them,
        up to that score."""
        if row is not None:
            try:
                return self.rows.index(row) + 1
            except ValueError:
                pass  # it was found when the catalog was another
        return bisect_right(self.scores, -score, key=lambda each: -each)


NOTHING = Ranking(array("i"), array("d"))


class FullTextIndex:
    """Finds the records of one catalog by their words. Any thread may search, one at a time."""

    def __init__(self, catalog: Catalog) -> None:
        # Nothing here may lead back to the catalog: reference counts alone must free both.
        self.keys = (
            *(RecordKey(PACKAGE.singular, id) for id in catalog.packages),
            *(RecordKey(GRID.singular, id) for id in catalog.grids),
        )
        """The record at each row."""
        self._lock = Lock()
        self._rankings: BoundedCache[str, Ranking] = BoundedCache(entries=MAX_RANKINGS)
        self._exact = _exact(catalog)
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        finalize(self, self._connection.close)
        self._connection.executescript(_TABLES)
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT INTO words (rowid, title, names, description) VALUES (?, ?, ?, ?)", _rows(catalog)
        )
        self._connection.executemany("INSERT INTO popularity VALUES (?, ?)", enumerate(_factors(catalog)))
        self._connection.execute("COMMIT")
        self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")

    def row(self, key: RecordKey) -> int | None:
        """Return the row of a record, or ``None``."""
        return self._rows_of.get(key)

    def search(self, query: str) -> Ranking:
        """Return all that the query finds. No query is an error."""
        alternatives = parse(query)
        if not alternatives:
            return NOTHING
        with self._lock:
            ranking = self._rankings.get(query)
            if ranking is None:
                ranking = self._ranking(expression(alternatives, self._similar_spellings), query)
                self._rankings.put(query, ranking)
            return ranking

    def _ranking(self, match: str, query: str) -> Ranking:
        exact = ", ".join(map(str, self._exact.get(_folded(query), ())))
        rows, scores = array("i"), array("d")
        for row, score in self._connection.execute(_SEARCH.format(exact=exact), (match,)):
            rows.append(row)
            scores.append(score)
        return Ranking(rows, scores)

    def _similar_spellings(self, term: Term) -> list[str]:
        """Return similar words, or none for a word that occurs somewhere."""
        match = term_expression(term)
        found = self._connection.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (match,))
        return [] if found.fetchone() else self._similar_words.similar(term.words[0])

    @cached_property
    def _similar_words(self) -> SimilarWords:
        return SimilarWords(self._connection.execute("SELECT term, doc FROM vocabulary"))

    @cached_property
    def _rows_of(self) -> dict[RecordKey, int]:
        return {key: row for row, key in enumerate(self.keys)}


class LazyFullTextIndex:
    """Builds the index of one catalog, once, in a thread: ``await catalog.view(Indexing).index(catalog)``."""

    def __init__(self, _catalog: Catalog) -> None:
        self._built: asyncio.Task[FullTextIndex] | None = None

    async def index(self, catalog: Catalog) -> FullTextIndex:
        """Return the index. Callers that want it while it is built wait together, and one that leaves does not end
        the building."""
        if self._built is None or (
            self._built.done() and (self._built.cancelled() or self._built.exception())
        ):
            self._built = asyncio.create_task(asyncio.to_thread(FullTextIndex, catalog))
        return await asyncio.shield(self._built)


def _rows(catalog: Catalog) -> Iterator[tuple[int, str, str, str]]:
    row = 0
    for package in catalog.packages.values():
        names = {_joined(package.slug), pypi_name(package.pypi_url) or ""} - {package.slug}
        yield row, package.title, f"{package.slug} {' '.join(sorted(names))}", package.repo_description
        row += 1
    for grid in catalog.grids.values():
        yield row, grid.title, f"{grid.slug} {_joined(grid.slug)}", grid.description
        row += 1


def _joined(slug: str) -> str:
    """Return the words joined as people write them in one: djangorestframework."""
    return slug.replace("-", "").replace("_", "")


def _factors(catalog: Catalog) -> Iterator[float]:
    for package in catalog.packages.values():
        yield _factor(package.repo_watchers)
    for grid in catalog.grids.values():
        yield _factor(len(grid.packages))


def _factor(stars: int) -> float:
    return 1 + log10(1 + max(stars, 0)) / _POPULARITY_SHARE


def _exact(catalog: Catalog) -> dict[str, tuple[int, ...]]:
    rows: defaultdict[str, list[int]] = defaultdict(list)
    records: Iterable[tuple[str, str]] = (
        *((package.title, package.slug) for package in catalog.packages.values()),
        *((grid.title, grid.slug) for grid in catalog.grids.values()),
    )
    for row, names in enumerate(records):
        for name in {_folded(name) for name in names}:
            rows[name].append(row)
    return {name: tuple(theirs) for name, theirs in rows.items()}


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
