"""Limits how many of one thing clients may have at a time: all clients together, and each of them."""

from __future__ import annotations

from collections import Counter


class ConcurrentQuota:
    """Counts what is taken. All clients together can have ``most``, and one client ``most_of_one``; 0 is no limit.

    A client that is ``None`` stands for many, and has no limit of its own. ``what`` names the thing in sentences, in
    the plural. ``refused`` counts the clients for whom there was none left.
    """

    def __init__(self, what: str, most: int, most_of_one: int) -> None:
        self.refused = 0
        self._taken = 0
        self._what = what
        self._most = most
        self._most_of_one = most_of_one
        self._by_client: Counter[str | None] = Counter()

    @property
    def taken(self) -> int:
        """Return how many all clients have."""
        return self._taken

    def take(self, client: str | None) -> str | None:
        """Take one for a client. If there is none left, return a sentence that says why."""
        sentence = self.why_none(client)
        if sentence is None:
            self._taken += 1
            self._by_client[client] += 1
        return sentence

    def why_none(self, client: str | None) -> str | None:
        """Return a sentence that says why a client can have none, and count the refusal; ``None`` if it can."""
        sentence: str | None = None
        if self._most and self._taken >= self._most:
            sentence = f"The gateway has {self._most:,} {self._what}, which is the limit."
        elif client is not None and self._most_of_one and self._by_client[client] >= self._most_of_one:
            sentence = f"Your address has {self._most_of_one:,} {self._what}, which is the limit."
        if sentence is not None:
            self.refused += 1
        return sentence

    def give_back(self, client: str | None) -> None:
        """Give back what was taken."""
        self._taken -= 1
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]
