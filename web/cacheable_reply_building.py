"""Replies with answers that the catalog alone decides, which clients and caches may keep."""

from __future__ import annotations

from functools import cache

from catalog import Snapshot
from engine import at_once
from gateway import AnswerKey, CachedAnswer, PreparedRequest
from schema import schema
from web.cache_headers import AS_OF, CachePolicy, Headers, JoinedHeaders, entity_tag, names_tag
from web.compression import SMALLEST
from web.http_responses import compressed_aside, content_headers
from web.response_cache import Bytes, CachedReply, CompressedAnswer, ResponseCache
from web.response_format import ResponseFormat


class CacheableReplies:
    """Makes replies in the form that a client takes, and keeps them in ``responses``.

    ``always`` are the headers that every answer has.
    """

    def __init__(self, responses: ResponseCache, policy: CachePolicy, always: Headers) -> None:
        self._responses = responses
        self._policy = policy
        self._always = always
        self._heads: dict[tuple[str, str | None], bytes] = {}
        """The heads of replies with an answer, by media type and encoding, with places for the length and the tag."""

    def tag(self, version: str, operation: AnswerKey, form: ResponseFormat) -> bytes:
        """Return the tag of an answer from this version in this form, which is known before the answer is."""
        described = (form.media_type.encode(), (form.encoding or "").encode())
        return entity_tag(_schema_tag(), version.encode(), *operation.parts, *described)

    async def reply(
        self,
        cached: CachedAnswer,
        tag: bytes,
        form: ResponseFormat,
        version: str,
        asked: bytes,
        known_by: Bytes | None,
    ) -> CachedReply:
        """Return the reply with an answer, and keep it for the next request of these bytes, if there are any."""
        if asked and names_tag(asked, tag):
            return self._responses.keep(known_by, version, cached, 304, self.not_modified(tag), b"")
        encoding = _encoding(cached, form)
        form_of_it = cached if encoding is None else await self._compressed(cached, encoding)
        body = form_of_it.body
        headers = self._headers(form.media_type, encoding, b"%d" % len(body), tag)
        return self._responses.keep(known_by, version, form_of_it, 200, headers, body)

    def written(self, cached: CachedAnswer, tag: bytes, form: ResponseFormat) -> tuple[bytes, bytes]:
        """Return the head and the body of the reply with a small answer, as they are sent. It is not kept, because few
        requests come again."""
        encoding = _encoding(cached, form)
        form_of_it = cached if encoding is None else at_once(self._compressed(cached, encoding))
        kind, body = (form.media_type, encoding), form_of_it.body
        head = self._heads.get(kind)
        if head is None:
            joined = JoinedHeaders()(self._headers(*kind, b"\0d", b"\0b"))
            head = self._heads[kind] = joined.replace(b"%", b"%%").replace(b"\0", b"%")
        return head % (len(body), tag), body

    def not_modified(self, tag: bytes) -> Headers:
        """Return the headers of a 304, without those that tell an age."""
        return [(b"etag", tag), *self._always]

    def ages(self, prepared: PreparedRequest, snapshot: Snapshot | None) -> Headers:
        """Return the headers for caches, of an answer that the catalog alone decides."""
        if prepared.as_of is not None:
            return AS_OF
        assert snapshot is not None
        return self._policy.headers(snapshot)

    def _headers(self, media_type: str, encoding: str | None, length: bytes, tag: bytes) -> Headers:
        return [*content_headers(media_type, encoding, length), *self._always, (b"etag", tag)]

    async def _compressed(self, cached: CachedAnswer, encoding: str) -> CompressedAnswer:
        """Return the compressed form of an answer."""
        compressed = self._responses.compressed(cached, encoding)
        if compressed is None:
            body = await compressed_aside(cached.body, encoding)
            compressed = self._responses.keep_compressed(cached, encoding, body)
        return compressed


def _encoding(cached: CachedAnswer, form: ResponseFormat) -> str | None:
    """Return how an answer is compressed when it is sent in this form; ``None`` if it is not."""
    return form.encoding if len(cached.body) >= SMALLEST else None


@cache
def _schema_tag() -> bytes:
    return entity_tag(schema.as_str().encode())
