"""Answers requests with a repeated head and a new body from their bytes: the head is not parsed again.

A client sends one operation after another on its connection, with the same headers each time. Once one of them was
answered without waiting (:mod:`gateway.answers_without_waiting`), the protocol of the server compares the head of the
next one with that head, byte for byte except for the digits of its Content-Length. If it is the same, only the body has
to be read, and what cannot be answered at once is parsed as usual.

A head belongs to its connection, because a client is known by both. So there is one for each connection at most.
"""

from __future__ import annotations

import re

import msgspec
from starlette.types import Scope

from gateway import AnswerKey, Caller, Gateway, masked
from web.cache_headers import CachePolicy, JoinedHeaders
from web.cacheable_reply_building import CacheableReplies
from web.incremental_delivery import wants_parts
from web.request_counts import RequestCount, RequestCounts
from web.request_headers import RUNNING
from web.request_parsing import EXPLAIN_HEADER, RECEIPT_HEADER, HttpRequest, read_text
from web.response_format import ResponseFormat

LONGEST = 4_096
"""The most bytes of a head that is remembered. A browser sends one or two thousand."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([1-9][0-9]{0,5})(?=\r\n)", re.IGNORECASE)
_END = b"\r\n\r\n"
_MORE = RUNNING | {RECEIPT_HEADER.lower().encode(), EXPLAIN_HEADER.lower().encode()}
"""The headers by which a client wants more than an answer, or which say how it is made."""


class ReplyAtOnce(msgspec.Struct, frozen=True, gc=False):
    """Holds the parts of a response of status 200 behind the headers of the server."""

    head: bytes
    age: bytes
    body: bytes


class RepeatedHead:
    """Answers the requests that come with one head on one connection.

    ``around`` are its bytes before and behind the digits of the Content-Length, and ``by`` is the client that sends it.
    """

    __slots__ = ("_before", "_behind", "_heads", "by", "counted", "form", "has_failed")

    def __init__(
        self,
        heads: RepeatedHeads,
        around: tuple[bytes, bytes],
        counted: RequestCount,
        form: ResponseFormat,
        by: Caller,
    ) -> None:
        self._before, self._behind = around
        self._heads = heads
        self.counted = counted
        self.form = form
        self.by = by
        self.has_failed = False
        """Whether a request was not answered at once that might have been: the next ones may be like it."""

    def answer(self, request: bytes) -> ReplyAtOnce | None:
        """Return the response to a whole request with this head; ``None`` if it has to take the ordinary way."""
        body = self._body_of(request)
        try:
            return None if body is None else self._heads.answer(self, body)
        except Exception as error:
            masked(error, "POST /graphql")  # which logs it
            self.has_failed = True
            return None

    def _body_of(self, request: bytes) -> bytes | None:
        """Return the body of a request; ``None`` if these bytes are not one whole request with this head."""
        before, behind = self._before, self._behind
        if not request.startswith(before):
            return None
        digits = len(before)
        end = request.find(b"\r", digits, digits + 7)
        if end < 0 or not request.startswith(behind, end):
            return None
        length, begin = request[digits:end], end + len(behind)
        # As it was learnt: a number of up to six digits, the first of which is no zero.
        if not length.isdigit() or length[0] == 48 or int(length) != len(request) - begin:
            return None
        return request[begin:]


class RepeatedHeads:
    """Learns heads, and answers the requests that have them, as the endpoint answers others."""

    def __init__(
        self, gateway: Gateway, replies: CacheableReplies, policy: CachePolicy, requests: RequestCounts
    ) -> None:
        self.requests = requests
        self._gateway = gateway
        self._replies = replies
        self._policy = policy
        self._ages = JoinedHeaders()

    def learn(
        self, request: bytes, scope: Scope, http: HttpRequest, form: ResponseFormat, by: Caller
    ) -> RepeatedHead | None:
        """Return the head of a whole request that was answered at once; ``None`` if it is not one for all bodies.

        ``scope`` and ``http`` are what was read of it.
        """
        if http.method != "POST" or http.address or self._gateway.persisted.only_trusted:
            return None
        if not _MORE.isdisjoint(http.headers) or b"content-encoding" in http.headers:
            return None
        around = _around_length(request)
        if around is None or [name for name, _ in scope["headers"]].count(b"content-length") != 1:
            return None
        counted = self.requests.of(http.method, scope["path"], 200)
        return RepeatedHead(self, around, counted, form, by)

    def answer(self, head: RepeatedHead, body: bytes) -> ReplyAtOnce | None:
        """Return the response to a request with a repeated head and a body; ``None`` if it takes the ordinary way."""
        gateway = self._gateway
        snapshot = gateway.source.current()
        if snapshot is None:
            return None
        form, request = head.form, read_text(body)
        prepared = None if request is None else gateway.at_once.prepared(request, snapshot)
        if request is None or prepared is None or wants_parts(form.takes, prepared):
            return None
        operation, version = AnswerKey(request), snapshot.catalog.version
        if gateway.answers.has(operation, version):
            return None  # the ordinary way learns requests that come again
        answer = gateway.at_once.answer(prepared, head.by, 0)
        if answer is None:
            head.has_failed = True
            return None
        gateway.answers.missed += 1
        cached = gateway.answers.keep(operation, version, answer.body, present=version)
        written, body = self._replies.written(cached, self._replies.tag(version, operation, form), form)
        return ReplyAtOnce(written, self._ages(self._policy.headers(snapshot)), body)


def _around_length(request: bytes) -> tuple[bytes, bytes] | None:
    """Return the bytes of a request's head around the digits of its Content-Length; ``None`` if it has not one number
    that is the length of what follows the head, or the head is too long."""
    end = request.find(_END, 0, LONGEST) + len(_END)
    if end < len(_END):
        return None
    lengths = list(_LENGTH.finditer(request, 0, end))
    if len(lengths) != 1 or int(lengths[0][1]) != len(request) - end:
        return None
    first, last = lengths[0].span(1)
    return request[:first], request[last:end]
