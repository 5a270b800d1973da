"""The documents that clients registered by automatic persisted queries, in bounded memory.

Anybody can register, so the store has to hold against whoever registers without end. What was never asked for by
its hash shares a small part of its own; only what is asked for moves to the large part. So a flood of new documents
pushes out new documents, not those in use.
"""

from __future__ import annotations

import sys
from collections import OrderedDict

NEW_DOCUMENTS, NEW_BYTES = 250, 1_000_000
"""The most that is kept of documents that nobody has asked for yet."""

USED_DOCUMENTS, USED_BYTES = 1000, 8_000_000
"""The most that is kept of documents in use."""


class RegisteredDocuments:
    """Documents by the SHA-256 of their text."""

    def __init__(self) -> None:
        self._new = _Shelf(NEW_DOCUMENTS, NEW_BYTES)
        self._used = _Shelf(USED_DOCUMENTS, USED_BYTES)

    def find(self, sha256: str) -> str | None:
        """Return the text that a client asks for; it is in use from now on."""
        text = self._used.find(sha256)
        if text is None:
            text = self._new.take(sha256)
            if text is not None:
                self._used.put(sha256, text)
        return text

    def has(self, sha256: str) -> bool:
        """Return whether it is there, without using it."""
        return sha256 in self._used.texts or sha256 in self._new.texts

    def add(self, sha256: str, text: str) -> None:
        """Keep a new document, if it fits in at all."""
        self._new.put(sha256, text)

    def __len__(self) -> int:
        return len(self._used.texts) + len(self._new.texts)

    @property
    def bytes(self) -> int:
        """Return what the texts take of memory."""
        return self._used.bytes + self._new.bytes


class _Shelf:
    """Texts up to a number and a size in memory; those used last stay."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self.texts: OrderedDict[str, str] = OrderedDict()
        self.bytes = 0
        self._most, self._most_bytes = most, most_bytes

    def find(self, key: str) -> str | None:
        text = self.texts.get(key)
        if text is not None:
            self.texts.move_to_end(key)
        return text

    def take(self, key: str) -> str | None:
        text = self.texts.pop(key, None)
        if text is not None:
            self.bytes -= sys.getsizeof(text)
        return text

    def put(self, key: str, text: str) -> None:
        # As it is in memory: a single emoji makes every character take four bytes.
        size = sys.getsizeof(text)
        if size > self._most_bytes:
            return
        self.texts[key] = text
        self.bytes += size
        while len(self.texts) > self._most or self.bytes > self._most_bytes:
            _key, oldest = self.texts.popitem(last=False)
            self.bytes -= sys.getsizeof(oldest)
