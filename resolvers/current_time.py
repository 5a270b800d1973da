"""The time, for fields whose answers depend on it."""

from __future__ import annotations

from datetime import UTC, datetime

from upstream.client.request_receipt import note_uncacheable


def now() -> datetime:
    """The time in UTC. Whoever asks for it makes an answer that is not the same a moment later."""
    note_uncacheable()
    return datetime.now(UTC)
