"""Answers kept: what was answered from this version of the catalog is answered again without being run.

Kept by operation, variables and version, so that it is exact; found by the very bytes of a request, before
anything is parsed, or by what the request means. Bounded by bytes; those that were used last stay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from sys import getsizeof

import msgspec

from gateway import GraphQLRequest
from web.cache_headers import Headers

OVERHEAD = 1000
"""Bytes that an answer, or a request that finds it, takes in memory beside its own: keys, headers, objects."""

LARGEST_PART = 8
"""An answer of more than an eighth of all bytes is not kept: it would drive out too many others."""

Bytes = tuple[bytes | str, ...]
"""A request as it came: its method, target and body, the version of the documents that ids name, and those of its
headers that the answer depends on."""


_deterministic = msgspec.json.Encoder(order="deterministic").encode


class AnswerKey:
    """What an answer depends on, beside the catalog."""

    __slots__ = ("key", "parts", "size")

    def __init__(self, request: GraphQLRequest) -> None:
        variables = _deterministic(request.variables) if request.variables else b""
        name = request.operation_name
        self.key: Hashable = (request.query, name, variables)
        self.parts = (request.query.encode("utf-8", "surrogatepass"), repr(name).encode(), variables)
        self.size = sum(map(len, self.parts))


@dataclass(slots=True, eq=False)
class CachedAnswer:
    """An answer, and the forms in which it was sent."""

    operation: Hashable
    body: bytes
    encoded: dict[str, bytes] = field(default_factory=dict)
    """By the name of the encoding."""
    requests: list[Bytes] = field(default_factory=list)
    """The answers that are found by the bytes of a request."""
    size: int = 0


@dataclass(frozen=True, slots=True)
class CachedReply:
    """What a request is answered with, but for the headers that change with the time."""

    headers: Headers
    body: bytes


class ResponseCache:
    """The answers from one version of the catalog, up to ``most_bytes``; with 0 nothing is kept."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._version = ""
        self._answers: OrderedDict[Hashable, CachedAnswer] = OrderedDict()
        self._replies: dict[Bytes, tuple[CachedAnswer, CachedReply]] = {}
        self.bytes = 0
        """What all of it takes, by our account."""
        self.found_by_bytes = 0
        self.found_by_meaning = 0
        self.missed = 0

    def __len__(self) -> int:
        return len(self._answers)

    def reply(self, request: Bytes, version: str) -> CachedReply | None:
        """Return the reply to a request with these bytes."""
        found = self._replies.get(request)
        if found is None or version != self._version:
            return None
        kept, reply = found
        self._answers.move_to_end(kept.operation)
        self.found_by_bytes += 1
        return reply

    def answer(self, operation: Hashable, version: str) -> CachedAnswer | None:
        """Return the answer to an operation."""
        kept = self._answers.get(operation) if version == self._version else None
        if kept is None:
            self.missed += 1
            return None
        self._answers.move_to_end(operation)
        self.found_by_meaning += 1
        return kept

    def keep(self, operation: Hashable, size: int, body: bytes, version: str) -> CachedAnswer:
        """Keep an answer, if there is room. ``size`` is that of the operation's text and variables."""
        if version != self._version:
            self._forget_all(version)
        known = self._answers.get(operation)
        if known is not None:
            return known  # of a request that came while this one ran
        kept = CachedAnswer(operation, body)
        if (size + len(body) + OVERHEAD) * LARGEST_PART <= self._most_bytes:
            self._answers[operation] = kept
            self._grow(kept, size + len(body) + OVERHEAD)
        return kept

    def add_encoded(self, kept: CachedAnswer, encoding: str, body: bytes) -> None:
        """Keep an answer's compressed form too."""
        kept.encoded[encoding] = body
        if self._answers.get(kept.operation) is kept:
            self._grow(kept, len(body))

    def add_request(self, kept: CachedAnswer, request: Bytes, reply: CachedReply) -> None:
        """Let a kept answer be found by the bytes of a request."""
        if self._answers.get(kept.operation) is not kept or request in self._replies:
            return
        kept.requests.append(request)
        self._replies[request] = (kept, reply)
        # In memory: a header of ten bytes takes eighty.
        self._grow(kept, sum(map(getsizeof, request)) + OVERHEAD)

    def _grow(self, kept: CachedAnswer, size: int) -> None:
        kept.size += size
        self.bytes += size
        self._answers.move_to_end(kept.operation)
        while self.bytes > self._most_bytes:
            _operation, last = self._answers.popitem(last=False)
            self.bytes -= last.size
            for request in last.requests:
                del self._replies[request]

    def _forget_all(self, version: str) -> None:
        self._version = version
        self._answers.clear()
        self._replies.clear()
        self.bytes = 0
