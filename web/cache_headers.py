"""Tells caches between the gateway and its clients how to use answers (RFC 9110, RFC 9111, RFC 5861).

The gateway itself is a cache of Django Packages, so an answer's ``Age`` is that of the catalog. Its ``max-age`` counts
from there too, and ends ``max_age`` seconds from now, so that clients soon see what is published next. Asking again
then costs an answer with the status 304, for which nothing is executed.
"""

from __future__ import annotations

import time
from hashlib import blake2b

import msgspec

from catalog import Freshness, Snapshot

_encode = msgspec.msgpack.Encoder().encode

Headers = list[tuple[bytes, bytes]]

NO_STORE: Headers = [(b"cache-control", b"no-store")]
"""The headers of an answer that must not be stored, because the next one can differ."""


AS_OF: Headers = [
    # It is a day and not for ever, because another release of the gateway may answer more.
    (b"cache-control", b"public, max-age=86400, immutable"),
    (b"x-accel-expires", b"86400"),
]
"""The headers of an answer that was asked for as of a moment in the past, which is always the same."""


class CachePolicy:
    """Decides how long caches may keep answers. ``max_age`` is in seconds, and ``limits`` are those of the catalog
    itself."""

    def __init__(self, max_age: int, limits: Freshness) -> None:
        self._max_age = max_age
        self._limits = limits
        self._of: Snapshot | None = None
        self._at = 0
        self._last: Headers = []

    def headers(self, snapshot: Snapshot) -> Headers:
        """Return the headers of an answer that is made from this catalog alone."""
        second = int(time.monotonic())
        # The headers are the same for all answers of one second.
        if self._of is not snapshot or self._at != second:
            self._of, self._at, self._last = snapshot, second, self._headers(int(snapshot.age()))
        return self._last

    def _headers(self, age: int) -> Headers:
        limits = self._limits
        use = max(0, min(self._max_age, int(limits.fresh) - age))
        until = age + use
        control = (
            f"public, max-age={until}, stale-while-revalidate={max(0, int(limits.while_revalidate) - until)}, "
            f"stale-if-error={max(0, int(limits.if_error) - until)}"
        )
        return [
            (b"cache-control", control.encode()),
            (b"age", str(age).encode()),
            # This is for nginx, which knows max-age but not Age, and would keep an answer for hours.
            (b"x-accel-expires", str(use).encode()),
        ]


class JoinedHeaders:
    """Joins headers as they are sent, once for as long as the list of them is the same object."""

    __slots__ = ("_joined", "_of")

    def __init__(self) -> None:
        self._of: Headers = []
        self._joined = b""

    def __call__(self, headers: Headers) -> bytes:
        """Return these headers, each with its line break."""
        if headers is not self._of:
            self._of, self._joined = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._joined


def entity_tag(*parts: bytes) -> bytes:
    """Return a strong tag for bytes that these parts determine: catalog, schema, operation, type and encoding."""
    # In msgpack each part has its length before it, so that no two lists of parts are the same bytes.
    digest = blake2b(_encode(parts), digest_size=16)
    return b'"%b"' % digest.hexdigest().encode()


def names_tag(if_none_match: bytes, tag: bytes) -> bool:
    """Return whether the header If-None-Match names this tag (RFC 9110, 13.1.2: compared weakly, and ``*``
    names all)."""
    return is_any(if_none_match) or any(
        each.strip().removeprefix(b"W/") == tag for each in if_none_match.split(b",")
    )


def is_any(if_none_match: bytes) -> bool:
    """Return whether the header If-None-Match names every tag, so that there has to be an answer to compare it
    with."""
    return if_none_match.strip() == b"*"
