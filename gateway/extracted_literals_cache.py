"""Remembers the literals of texts that come again, so that these are not taken apart each time.

Many clients send the same text with other variables. A client that writes values into the text sends a new one each
time, so a text is remembered when it comes for the second time.
"""

from __future__ import annotations

from sys import getsizeof
from typing import NamedTuple

from caching import BoundedCache
from gateway.request_document import LiteralsOfText

MAX_TEXTS, MAX_BYTES = 500, 2_000_000
"""How many texts are remembered, and the memory that they may take."""

MAX_MET = 2_000
"""How many texts are known to have come once. Beyond that, all of these are forgotten."""

OVERHEAD, BYTES_OF_LITERAL = 1_000, 150
"""Bytes that a text takes beside itself and its literals, and each literal beside its characters."""


class SplitText(NamedTuple):
    """Holds the two parts of a text, with the values of the literals."""

    shape: str
    literals: LiteralsOfText


class ExtractedLiterals:
    """Holds the texts that were used last, of those that came more than once."""

    def __init__(self) -> None:
        self._texts: BoundedCache[str, SplitText] = BoundedCache(entries=MAX_TEXTS, size=MAX_BYTES)
        self._met: set[int] = set()
        self.found = 0
        """How many were found."""

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def size(self) -> int:
        """Return the memory that they take."""
        return self._texts.size

    def find(self, text: str) -> SplitText | None:
        """Return the parts of a text, if they are remembered."""
        known = self._texts.get(text)
        self.found += known is not None
        return known

    def came(self, text: str, shape: str, literals: LiteralsOfText) -> None:
        """Remember the parts of a text, if it came before."""
        known_by = hash(text)
        if known_by in self._met:
            size = OVERHEAD + 2 * getsizeof(text) + BYTES_OF_LITERAL * len(literals.values)
            self._texts.put(text, SplitText(shape, literals), size)
            return
        if len(self._met) >= MAX_MET:
            self._met.clear()
        self._met.add(known_by)
