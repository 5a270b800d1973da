"""Reads which range of a file a request asks for (RFC 9110, 14.2 and 13.1.5)."""

from __future__ import annotations

import re
from typing import NamedTuple

from starlette.datastructures import Headers

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class UnsatisfiableRange(Exception):
    """The requested range begins behind the end of the file."""


class ByteRange(NamedTuple):
    """Says which bytes of a file are meant, the first counted from 0."""

    first: int
    length: int


def asked_range(headers: Headers, tag: str, size: int) -> ByteRange | None:
    """Return the part that is asked for of a file of this size and tag; ``None`` for the whole file.

    Several parts at once, other units than bytes, and parts of another file (``If-Range``) get the whole file, as the
    RFC allows.

    :raises UnsatisfiableRange: the file has no such part.
    """
    asked = _RANGE.fullmatch(headers.get("Range", "").strip())
    if asked is None or headers.get("If-Range", tag).strip() != tag:
        return None
    first, last = asked.groups()
    if first:
        if last and int(last) < int(first):
            return None  # such a range makes the header invalid (14.1.1)
        begin, end = int(first), min(int(last) + 1, size) if last else size
    elif last:
        begin, end = max(0, size - int(last)), size
    else:
        return None
    if begin >= end:
        raise UnsatisfiableRange
    return ByteRange(begin, end - begin)
