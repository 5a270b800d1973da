"""Holds the documents that clients registered by automatic persisted queries, in bounded memory.

Anybody can register, so the store has to withstand a client that registers without end. Documents that were never
asked for by their hash share a small part of the store, and move to the large part when they are asked for. So a
flood of new documents drives out new documents, not those in use.
"""

from __future__ import annotations

import sys

from caching import BoundedCache

NEW_DOCUMENTS, NEW_BYTES = 250, 1_000_000
"""The most that is cached of documents that nobody has asked for yet."""

USED_DOCUMENTS, USED_BYTES = 1000, 8_000_000
"""The most that is cached of documents in use."""


class RegisteredDocuments:
    """Holds documents by the SHA-256 of their text."""

    def __init__(self) -> None:
        self._new: BoundedCache[str, str] = BoundedCache(entries=NEW_DOCUMENTS, size=NEW_BYTES)
        self._used: BoundedCache[str, str] = BoundedCache(entries=USED_DOCUMENTS, size=USED_BYTES)

    def find(self, sha256: str) -> str | None:
        """Return the text that a client asks for; it is in use from now on."""
        text = self._used.get(sha256)
        if text is None:
            text = self._new.pop(sha256)
            if text is not None:
                _put(self._used, sha256, text)
        return text

    def has(self, sha256: str) -> bool:
        """Return whether it is there, without using it."""
        return sha256 in self._used or sha256 in self._new

    def add(self, sha256: str, text: str) -> None:
        """Add a new document, if it fits in at all."""
        _put(self._new, sha256, text)

    def __len__(self) -> int:
        return len(self._used) + len(self._new)

    @property
    def bytes(self) -> int:
        """Return how many bytes of memory the texts take."""
        return self._used.size + self._new.size


def _put(texts: BoundedCache[str, str], sha256: str, text: str) -> None:
    # Texts count as they are in memory, where a single emoji makes every character take four bytes.
    texts.put(sha256, text, sys.getsizeof(text))
