"""Words that are spelt nearly like one that is nowhere, by the trigrams they share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from unicodedata import combining, normalize

LEAST_SIMILARITY = 0.35
"""Shared trigrams by all trigrams of two words; "celry" and "celery" have 0.44."""

MOST_SPELLINGS = 3

_SHORTEST, _LONGEST = 3, 40


class Spelling:
    """Knows words with the number of records that have each."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        self._words: list[tuple[str, int, int]] = []
        """Each with its number of trigrams and of records."""
        self._by_trigram: defaultdict[str, list[int]] = defaultdict(list)
        for word, records in words:
            # Nobody misspells a number.
            if _SHORTEST <= len(word) <= _LONGEST and not any(map(str.isdecimal, word)):
                trigrams = _trigrams(word)
                for trigram in trigrams:
                    self._by_trigram[trigram].append(len(self._words))
                self._words.append((word, len(trigrams), records))

    def similar(self, word: str) -> list[str]:
        """The most similar words, at most three; of equally similar ones those that more records have."""
        folded = "".join(each for each in normalize("NFKD", word.casefold()) if not combining(each))
        if not _SHORTEST <= len(folded) <= _LONGEST:
            return []
        trigrams = _trigrams(folded)
        shared: Counter[int] = Counter()
        for trigram in trigrams:
            shared.update(self._by_trigram.get(trigram, ()))
        similar: list[tuple[float, int, str]] = []
        for place, number in shared.items():
            known, size, records = self._words[place]
            similarity = number / (len(trigrams) + size - number)
            if similarity >= LEAST_SIMILARITY:
                similar.append((-similarity, -records, known))
        return [known for _, _, known in sorted(similar)[:MOST_SPELLINGS]]


def _trigrams(word: str) -> set[str]:
    # The beginning of a word tells more than its end, as in PostgreSQL's pg_trgm.
    padded = f"  {word} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}
