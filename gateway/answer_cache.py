"""Caches answers that were made from the catalog alone: an operation has the same answer as long as the catalog
stays.

The key is the version, document, operation name and variables, so that the cache is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

import msgspec

from engine import BudgetEntry, ByteBudget
from gateway.prepared_request import GraphQLRequest

OVERHEAD = 1000
"""Bytes of memory that an answer takes beyond its own: for keys and objects."""

_deterministic = msgspec.json.Encoder(order="deterministic").encode


class AnswerKey:
    """Says what an answer depends on, apart from the catalog."""

    __slots__ = ("key", "parts", "size")

    def __init__(self, request: GraphQLRequest) -> None:
        variables = _deterministic(request.variables) if request.variables else b""
        name = request.operation_name
        self.key: Hashable = (request.query, name, variables)
        self.parts = (request.query.encode("utf-8", "surrogatepass"), repr(name).encode(), variables)
        self.size = sum(map(len, self.parts))


class CachedAnswer(BudgetEntry):
    """Holds the body of an answer. An answer for which there is no room is in no cache."""

    __slots__ = ("body",)

    def __init__(self, body: bytes, forget: Callable[[], object] = bool) -> None:
        super().__init__(forget)
        self.body = body


class AnswerCache:
    """Holds the answers of one gateway, within a budget that it shares with other caches.

    A new version of the catalog empties it: ``present`` is the version that new requests are answered from.
    """

    def __init__(self, budget: ByteBudget) -> None:
        self.budget = budget
        self.found = 0
        self.missed = 0
        self._present = ""
        self._answers: dict[Hashable, CachedAnswer] = {}

    def __len__(self) -> int:
        return len(self._answers)

    def answer(self, operation: AnswerKey, version: str) -> CachedAnswer | None:
        """Return the answer to an operation from this version of the catalog."""
        cached = self._answers.get((version, operation.key))
        if cached is None:
            self.missed += 1
            return None
        self.budget.touch(cached)
        self.found += 1
        return cached

    def has(self, operation: AnswerKey, version: str) -> bool:
        """Return whether there is an answer to an operation from this version, without using it."""
        return (version, operation.key) in self._answers

    def keep(self, operation: AnswerKey, version: str, body: bytes, present: str) -> CachedAnswer:
        """Return the answer from this version, and cache it if there is room."""
        if present != self._present:
            self._present = present
            for old in list(self._answers.values()):
                self.budget.forget(old)
        key = (version, operation.key)
        known = self._answers.get(key)
        if known is not None:
            return known  # A request that came while this one ran has stored it.
        cached = CachedAnswer(body, partial(self._answers.pop, key))
        if self.budget.keep(cached, operation.size + len(body) + OVERHEAD):
            self._answers[key] = cached
        return cached
