"""Caches the replies to whole requests by the bytes in which they came, so that equal requests need no parsing.

The protocol of the server asks here before it parses (``web/serving/repeated_request_protocol.py``), and hands the
requests that it had to parse to the endpoint, which reports the reply here. Another server does neither, so nothing is
cached.
"""

from __future__ import annotations

from functools import partial
from sys import getsizeof

from starlette.types import Scope

from caching import BoundedCache
from catalog import CatalogSource
from engine import BudgetEntry
from gateway import REQUEST, FairUse, units_to_send
from gateway.persisted import PersistedDocuments
from web.cache_headers import CachePolicy, JoinedHeaders
from web.client_identity import Clients
from web.request_counts import RequestCount, RequestCounts
from web.response_cache import CachedReply, ResponseCache

LONGEST = 16_384
"""The most bytes of a request that is remembered. A longer one costs more to compare, and is seldom sent twice."""

OVERHEAD = 1000
"""Bytes of memory that a repeated request takes beyond its own and its head."""

ASKED_ONCE = 10_000
"""How many requests are remembered that have come once, by their hashes, in two megabytes. A request with a number of
its own in a header, as a proxy may write, comes only once, and keeping it would only drive out others."""


class RepeatedRequest(BudgetEntry):
    """Holds the reply to a request, and how it is counted.

    ``documents`` is the version of the documents that ids name, and ``telling`` has the headers that say who its client
    is.
    """

    __slots__ = ("body", "counted", "documents", "head", "status", "telling", "version")

    def __init__(
        self,
        reply: CachedReply,
        counted: RequestCount,
        documents: str,
        telling: tuple[tuple[bytes, bytes], ...],
        forget: partial[object],
    ) -> None:
        super().__init__(forget, reply.whole)
        self.status = reply.status
        self.counted = counted
        self.head = JoinedHeaders()(reply.headers)
        self.body = reply.body
        self.version = reply.version
        self.documents = documents
        self.telling = telling


class RepeatedRequests:
    """Holds requests that are answered from the response cache, which counts them, within the same budget."""

    def __init__(
        self,
        source: CatalogSource,
        documents: PersistedDocuments,
        responses: ResponseCache,
        requests: RequestCounts,
        policy: CachePolicy,
        clients: Clients,
        fair_use: FairUse | None,
    ) -> None:
        self.age = b""
        """The headers that change with the time, as they are for the request that was found last."""
        self.of_server = JoinedHeaders()
        """Joins the headers that the server writes before ours, which has the same list of them for a second."""
        self._source = source
        self._documents = documents
        self._responses = responses
        self.requests = requests
        self._budget = responses.answers.budget
        self._policy = policy
        self._clients = clients
        self._fair_use = fair_use
        self._known: dict[bytes, RepeatedRequest] = {}
        self._once: BoundedCache[int, None] = BoundedCache(entries=ASKED_ONCE)
        self._ages = JoinedHeaders()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, request: bytes, peer: str | None) -> RepeatedRequest | None:
        """Return the present reply to a request with these bytes from a peer, if it is known and its client may have
        it. The ordinary way tells a client why it may not."""
        known = self._known.get(request)
        if known is None:
            return None
        snapshot = self._source.current()
        if (
            snapshot is None
            or known.version != snapshot.catalog.version
            or known.documents != self._documents.version()
        ):
            return None
        if self._fair_use is not None:
            client = self._clients.of_request(peer, known.telling)
            more = units_to_send(known.body)
            if self._fair_use.wait(client, REQUEST + more) if more else self._fair_use.wait_for_one(client):
                return None
        self._budget.touch(known)
        self._responses.found_unparsed += 1
        self.age = self._ages(self._policy.headers(snapshot))
        return known

    def learn(self, request: bytes, scope: Scope, reply: CachedReply, documents: str) -> None:
        """Keep a request with its reply, if it comes for the second time. ``scope`` is what was read of it."""
        once = hash(request)
        if once not in self._once:
            self._once.put(once, None)
            return
        self._once.pop(once)
        old = self._known.get(request)
        if old is not None:
            self._budget.forget(old)
        counted = self.requests.of(scope["method"], scope["path"], reply.status)
        telling = self._clients.telling(scope["headers"])
        known = RepeatedRequest(reply, counted, documents, telling, partial(self._known.pop, request))
        if self._budget.keep(known, 2 * getsizeof(request) + getsizeof(known.head) + OVERHEAD):
            self._known[request] = known
