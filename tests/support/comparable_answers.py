"""Provides an answer as two executions of the same operation have to agree on it."""

from __future__ import annotations

import re

_ERROR_ID = re.compile(rb"[0-9a-f]{32}")


def comparable(body: bytes) -> object:
    """Return an answer without what differs between two runs: the ids of masked errors."""
    return _ERROR_ID.sub(b"id", body)
