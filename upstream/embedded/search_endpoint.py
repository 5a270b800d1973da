"""Answers searches with v4's 20 keys and its stale index, but with a ranking of its own (contract, section 4).

The real search is PostgreSQL's text search with a fuzzy match beside it. This one imitates what a client can notice:
all words must match unless OR is between them, one short word matches beginnings, misspelt titles are found, popular
packages come first, and there are at most 20 results.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from .editable_catalog import EmbeddedCatalog
from .row_types import GridRow, PackageRow
from .seeded_random import eastern
from .shifted_dates import moved

_MAX_HITS = 20
_MIN_SIMILARITY = 0.35
_INDEXED_AT = 1_771_221_600  # 16 February 2026, the night after the newest row but one
_WEIGHT_SHARE = 0.02
_GRID_WEIGHT = 37
_STOPPED = "a an and are as at be by for from in is it not of on or that the to was with"
_STOP_WORDS = frozenset(_STOPPED.split())
_SHORTCODES = {"rocket": "🚀", "fire": "🔥", "tada": "🎉", "sparkles": "✨", "snake": "🐍", "zap": "⚡"}

_Set = frozenset[str]

_words = re.compile(r"\w+").findall
_query_words = re.compile(r"(?<!\w)-?\w+").findall
_shortcode = re.compile(r":([a-z_]+):")


@dataclass(frozen=True)
class _SearchEntry:
    row: PackageRow | GridRow
    title_words: frozenset[str]
    slug_words: frozenset[str]
    text_words: frozenset[str]
    trigrams: frozenset[str]
    weight: int

    def rank(self, word: str) -> float:
        """Return how well one word fits: in the title best, then the slug, then the description."""
        if word in self.title_words:
            return 1.0
        if word in self.slug_words:
            return 0.8
        return 0.3 if word in self.text_words else 0.0


class EmbeddedSearch:
    """Finds rows by word and by trigram, as they were when the catalog was last indexed."""

    def __init__(self, catalog: EmbeddedCatalog) -> None:
        self.built_for = (catalog, catalog.index_version)
        self._categories = {row.id: row.title for row in catalog.categories.values()}
        rows: list[PackageRow | GridRow] = [
            *catalog.indexed_packages.values(),
            *catalog.indexed_grids.values(),
        ]
        self._entries = [_entry(row) for row in rows]
        self._by_word: dict[str, list[int]] = {}
        self._by_trigram: dict[str, list[int]] = {}
        for position, entry in enumerate(self._entries):
            for word in entry.title_words | entry.slug_words | entry.text_words:
                self._by_word.setdefault(word, []).append(position)
            for trigram in entry.trigrams:
                self._by_trigram.setdefault(trigram, []).append(position)

    def find(self, query: str, days: int = 0) -> list[dict[str, object]]:
        """Return the best 20 results for a query, best first, with their dates shifted by a number of days."""
        ranks = self._by_text(query.lower())
        trigrams = _trigrams(query.lower())
        similar = self._by_similarity(trigrams)
        best = sorted(
            ranks.keys() | similar.keys(),
            key=lambda position: (
                -(ranks.get(position, 0.0) + _WEIGHT_SHARE * self._entries[position].weight),
                -_similarity(trigrams, self._entries[position].trigrams),
                self._entries[position].row.title,
                position,
            ),
        )
        return [self._result(self._entries[position], days) for position in best[:_MAX_HITS]]

    def _by_text(self, query: str) -> dict[int, float]:
        words = _query_words(query)
        either = "or" in words
        unwanted = {word[1:] for word in words if word.startswith("-")}
        wanted = [word for word in words if not word.startswith("-") and word not in _STOP_WORDS]
        ranks: dict[int, float] = {}
        found: set[int] | None = None
        for word in wanted:
            positions = set(self._by_word.get(word, ()))
            if len(wanted) == 1 and 3 <= len(word) <= 5:
                positions.update(self._with_prefix(word))
            for position in positions:
                ranks[position] = ranks.get(position, 0.0) + max(self._entries[position].rank(word), 0.1)
            found = positions if found is None else found | positions if either else found & positions
        for word in unwanted:
            found = (found or set()) - set(self._by_word.get(word, ()))
        return {position: ranks[position] for position in found or ()}

    def _with_prefix(self, beginning: str) -> Iterable[int]:
        for word, positions in self._by_word.items():
            if word.startswith(beginning):
                yield from positions

    def _by_similarity(self, trigrams: frozenset[str]) -> dict[int, float]:
        common: dict[int, int] = {}
        for trigram in trigrams:
            for position in self._by_trigram.get(trigram, ()):
                common[position] = common.get(position, 0) + 1
        similar: dict[int, float] = {}
        for position, number in common.items():
            similarity = number / (len(trigrams) + len(self._entries[position].trigrams) - number)
            if similarity >= _MIN_SIMILARITY:
                similar[position] = similarity
        return similar

    def _result(self, entry: _SearchEntry, days: int) -> dict[str, object]:
        row = moved(entry.row, days, newest_from=0)
        package = row if isinstance(row, PackageRow) else None
        return {
            "description": _with_emoji(_description(row)),
            "title": _with_emoji(row.title),
            "title_no_prefix": row.title,
            "slug_no_prefix": row.slug,
            "clean_title": row.title,
            "absolute_url": f"/packages/p/{row.slug}/" if package else f"/grids/g/{row.slug}/",
            # Dates of the index row, not of the record.
            "created": eastern(_INDEXED_AT, row.id % 1_000_000),
            "modified": eastern(_INDEXED_AT, (row.id + 1_000) % 1_000_000),
            "weight": entry.weight,
            "item_type": "package" if package else "grid",
            "slug": row.slug,
            "category": self._categories.get(package.category, "") if package else "",
            "repo_watchers": package.repo_watchers if package else 0,
            "repo_forks": package.repo_forks if package else 0,
            "pypi_downloads": package.repo_watchers * 7 if package else 0,
            "score": package.repo_watchers - package.repo_forks if package else 0,
            "usage": 0,
            "participants": ",".join(package.participants) if package else "",
            "last_committed": package.last_updated if package else None,
            "last_released": package.last_updated if package and package.pypi_version else None,
        }


def _entry(row: PackageRow | GridRow) -> _SearchEntry:
    return _SearchEntry(row, *_indexed_texts(row.title, row.slug, _description(row)), _weight(row))


@lru_cache(maxsize=8_000)
def _indexed_texts(title: str, slug: str, description: str) -> tuple[_Set, _Set, _Set, _Set]:
    """Return the words of each text, and the trigrams of the title.

    Catalogs of the same rows share them, because most tests have a catalog of their own.
    """
    return (
        frozenset(_words(title.lower())),
        frozenset(_words(slug.lower())),
        frozenset(_words(description.lower())) - _STOP_WORDS,
        _trigrams(title.lower()),
    )


def _description(row: PackageRow | GridRow) -> str:
    return row.repo_description if isinstance(row, PackageRow) else row.description


def _weight(row: PackageRow | GridRow) -> int:
    # Popularity dominates, in steps of the order of magnitude.
    if isinstance(row, GridRow):
        return _GRID_WEIGHT
    return min(20 + 4 * row.repo_watchers.bit_length() + (5 if row.pypi_version else 0), 80)


def _trigrams(text: str) -> frozenset[str]:
    padded = (f"  {word} " for word in _words(text) if len(word) > 1)
    return frozenset(word[start : start + 3] for word in padded for start in range(len(word) - 2))


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    together = len(one | other)
    return len(one & other) / together if together else 0.0


def _with_emoji(text: str) -> str:
    return _shortcode.sub(lambda match: _SHORTCODES.get(match[1], match[0]), text)
