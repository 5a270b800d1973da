"""Caches replies as they were sent, and finds them by the bytes of a request before any of it is parsed.

Each reply belongs to a cached answer of the gateway, is forgotten with it, and counts in the same budget.
"""

from __future__ import annotations

from functools import partial
from sys import getsizeof

from engine import BudgetEntry
from gateway import AnswerCache, CachedAnswer
from web.cache_headers import Headers

OVERHEAD = 1000
"""Bytes of memory that a reply takes beyond its request and its body: for headers and objects."""

Bytes = tuple[bytes | str, ...]
"""A request as it came: its method, target and body, the version of the documents that ids name, and those of its
headers that the answer depends on."""


class CompressedAnswer(BudgetEntry):
    """Holds the compressed body of an answer."""

    __slots__ = ("body",)

    def __init__(self, body: bytes, whole: CachedAnswer, forget: partial[object]) -> None:
        super().__init__(forget, whole)
        self.body = body


class CachedReply(BudgetEntry):
    """Holds the reply to a request, without the headers that change with the time.

    ``version`` is that of the catalog that new requests were answered from, and ``whole`` has the body.
    """

    __slots__ = ("body", "headers", "status", "version")

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        whole: CachedAnswer | CompressedAnswer,
        version: str,
        forget: partial[object],
    ) -> None:
        super().__init__(forget, whole)
        self.status = status
        self.headers = headers
        self.body = body
        self.version = version


class ResponseCache:
    """Holds the replies to requests for which the gateway has cached answers.

    ``found`` counts those that were used again, and ``found_unparsed`` those for which the server did not even parse
    the request.
    """

    def __init__(self, answers: AnswerCache) -> None:
        self.answers = answers
        self.found = 0
        self.found_unparsed = 0
        self._budget = answers.budget
        self._replies: dict[Bytes, CachedReply] = {}
        self._compressed: dict[tuple[CachedAnswer, str], CompressedAnswer] = {}

    def reply(self, request: Bytes, version: str) -> CachedReply | None:
        """Return the reply to a request with these bytes, while the catalog has this version."""
        reply = self._replies.get(request)
        if reply is None or reply.version != version:
            return None
        self._budget.touch(reply)
        self.found += 1
        return reply

    def keep(
        self,
        request: Bytes | None,
        version: str,
        whole: CachedAnswer | CompressedAnswer,
        status: int,
        headers: Headers,
        body: bytes,
    ) -> CachedReply:
        """Return the reply to a request with these bytes, and keep it if its ``whole`` is cached and there is room.

        ``request`` is ``None`` for one that is not to be found by its bytes.
        """
        if request is None:
            return CachedReply(status, headers, body, whole, version, partial(object))
        old = self._replies.get(request)
        if old is not None:
            self._budget.forget(old)
        reply = CachedReply(status, headers, body, whole, version, partial(self._replies.pop, request))
        # Sizes are those in memory, where a header of ten bytes takes eighty.
        if self._budget.keep(reply, sum(map(getsizeof, request)) + OVERHEAD):
            self._replies[request] = reply
        return reply

    def compressed(self, answer: CachedAnswer, encoding: str) -> CompressedAnswer | None:
        """Return the answer's compressed form, if it is cached. ``encoding`` is the name of the coding."""
        return self._compressed.get((answer, encoding))

    def keep_compressed(self, answer: CachedAnswer, encoding: str, body: bytes) -> CompressedAnswer:
        """Return the answer's compressed form, and keep it if the answer is cached and there is room."""
        key = (answer, encoding)
        known = self._compressed.get(key)
        if known is not None:
            return known  # of a request that came while this one was compressed
        compressed = CompressedAnswer(body, answer, partial(self._compressed.pop, key))
        if self._budget.keep(compressed, len(body) + OVERHEAD):
            self._compressed[key] = compressed
        return compressed
