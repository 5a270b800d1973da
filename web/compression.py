"""Compresses answers as the header Accept-Encoding asks (RFC 9110, 12.5.3)."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache

import brotli
import zstandard

from web.content_negotiation import weighted

SMALLEST = 1400
"""The fewest bytes that are compressed: what fits into one packet anyway is sent as it is."""


@lru_cache(maxsize=256)
def encoding_for(header: str | None) -> str | None:
    """Return the encoding for a client that sends this header, or None. Of equally welcome ones it is the first in
    ``COMPRESSED``."""
    if not header:
        return None
    weights = weighted(header)
    rest = weights.get("*", 0.0)
    best = max(COMPRESSED, key=lambda encoding: weights.get(encoding, rest))
    weight = weights.get(best, rest)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def compressed(body: bytes, encoding: str) -> bytes:
    """Return the body in this encoding."""
    return COMPRESSED[encoding](body)


# Measured on 37 KB of answers: br 106, gzip 179 and zstd 37 us for 3 %; the next level of each saves a tenth for twice
# the work. zstd is the last: the fetch of Node.js 20 offers it with the weight of the others, and cannot undo it.
COMPRESSED: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
}
"""The functions that compress, by the names of their encodings, in the order of preference."""
