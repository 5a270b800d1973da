"""Shifts the dates of generated rows with the present day, so that a demo has recent changes on any day.

Stored rows say when things happened as seen from ``DAY_ZERO``, and are shifted when they are served. Commits, fetches
and changes move. A record keeps the moment at which it was created, except the newest packages, so that some always
came this week.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

import msgspec

from .recorded_packages import SEED_IDS
from .row_types import GridRow, PackageRow, Row
from .seeded_random import eastern

DAY_ZERO = date(2026, 2, 16)
"""The day as of which the catalog is generated. The five real records were taken the day before."""

NEWEST = 16
"""How many packages seem to be new. A gateway doubts a catalog in which many records have another moment of creation
than before, and these are fewer than that."""


R = TypeVar("R", bound=Row)


def moved(row: R, days: int, newest_from: int) -> R:
    """Return the row with its moments this many days later. ``newest_from`` is the id from which packages are new."""
    if not days:
        return row
    match row:
        case PackageRow() if row.id not in SEED_IDS:
            return msgspec.structs.replace(
                row,
                last_updated=later(row.last_updated, days),
                last_fetched=later(row.last_fetched, days),
                modified=later(row.modified, days),
                created=later(row.created, days) if row.id >= newest_from else row.created,
            )
        case GridRow():
            return msgspec.structs.replace(row, modified=later(row.modified, days))
        case _:
            return row


def later(moment: str | None, days: int) -> str | None:
    """Return a moment as v4 writes it, this many days later at the same time of day in New York."""
    if moment is None:
        return None
    day, offset = _day_later(moment[:10], days)
    return f"{day}{moment[10:-6]}{offset}"


@lru_cache(maxsize=20_000)
def _day_later(day: str, days: int) -> tuple[str, str]:
    """Return a later day, and what its times are away from UTC at noon."""
    noon = datetime.fromisoformat(f"{day}T17:00:00+00:00") + timedelta(days=days)
    text = eastern(int(noon.timestamp()))
    return text[:10], text[-6:]
