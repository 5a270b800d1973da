"""Finds words that are spelt nearly like one that occurs nowhere.

They have two neighbouring letters swapped, or share many trigrams.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from unicodedata import combining, normalize

MIN_SIMILARITY = 0.35
"""The least similarity: the shared trigrams divided by all trigrams of two words. "celry" and "celery" have 0.44."""

NEARLY_AS_SIMILAR = 0.75
"""The share of the similarity of the most similar word; less similar words are left out."""

MAX_SPELLINGS = 3

_SHORTEST, _LONGEST = 3, 15
"""The letters of the words that are compared. Longer words are mostly names written as one word, of which there are
as many as records."""


class SimilarWords:
    """Knows words with the number of records that have each."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        self._words: list[tuple[str, int, int]] = []
        """Each word with its number of trigrams and of records."""
        self._places: dict[str, int] = {}
        self._by_trigram: defaultdict[str, list[int]] = defaultdict(list)
        for word, records in words:
            # Nobody misspells a number.
            if _SHORTEST <= len(word) <= _LONGEST and not any(map(str.isdecimal, word)):
                trigrams = _trigrams(word)
                for trigram in trigrams:
                    self._by_trigram[trigram].append(len(self._words))
                self._places[word] = len(self._words)
                self._words.append((word, len(trigrams), records))

    def similar(self, word: str) -> list[str]:
        """Return the most similar words, at most three. Among equally similar ones, those that more records have are
        preferred."""
        folded = "".join(each for each in normalize("NFKD", word.casefold()) if not combining(each))
        if not _SHORTEST <= len(folded) <= _LONGEST:
            return []
        trigrams = _trigrams(folded)
        shared: Counter[int] = Counter()
        for trigram in trigrams:
            shared.update(self._by_trigram.get(trigram, ()))
        similar = [(-1.0, -self._words[place][2], self._words[place][0]) for place in self._swapped(folded)]
        for place, number in shared.items():
            known, size, records = self._words[place]
            similarity = number / (len(trigrams) + size - number)
            if similarity >= MIN_SIMILARITY:
                similar.append((-similarity, -records, known))
        similar.sort()
        best = similar[:MAX_SPELLINGS]
        return [known for likeness, _, known in best if likeness <= best[0][0] * NEARLY_AS_SIMILAR]

    def _swapped(self, word: str) -> Iterator[int]:
        """Yield the places of words that differ by two swapped neighbouring letters. Too few trigrams of a short word
        survive that: "emial" and "email" share two of ten."""
        for place in range(len(word) - 1):
            swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
            if swapped in self._places:
                yield self._places[swapped]


def _trigrams(word: str) -> set[str]:
    # The beginning of a word tells more than its end, as in PostgreSQL's pg_trgm.
    padded = f"  {word} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}
