"""Limits how many of one thing clients may have at a time: all together, and from one address."""

from __future__ import annotations

from collections import Counter


class Quota:
    """Counts what is taken. All clients together can have ``most``, and one address ``most_of_one``; 0 is no limit.

    ``what`` names the thing in sentences, in the plural. ``refused`` counts the clients for whom there was none left.
    """

    def __init__(self, what: str, most: int, most_of_one: int) -> None:
        self.refused = 0
        self._taken = 0
        self._what = what
        self._most = most
        self._most_of_one = most_of_one
        self._by_address: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Return how many all clients have."""
        return self._taken

    def take(self, address: str) -> str | None:
        """Take one for a client at ``address``. If there is none left, return a sentence that says why."""
        sentence = self.why_none(address)
        if sentence is None:
            self._taken += 1
            self._by_address[address] += 1
        return sentence

    def why_none(self, address: str) -> str | None:
        """Return a sentence that says why a client at ``address`` can have none, and count the refusal; ``None`` if
        it can."""
        sentence: str | None = None
        if self._most and self._taken >= self._most:
            sentence = f"The gateway has {self._most:,} {self._what}, which is the limit."
        elif self._most_of_one and self._by_address[address] >= self._most_of_one:
            sentence = f"Your address has {self._most_of_one:,} {self._what}, which is the limit."
        if sentence is not None:
            self.refused += 1
        return sentence

    def give_back(self, address: str) -> None:
        """Give back what was taken."""
        self._taken -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
