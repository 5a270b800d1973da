"""Gives the time to fields whose answers depend on it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC, for fields and inputs that declare that they depend on it."""
    return datetime.now(UTC)
