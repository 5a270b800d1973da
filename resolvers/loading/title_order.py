"""The order of a relation to many: ours, because upstream leaves it open (contract section 2)."""

from __future__ import annotations

from upstream.client import R, Record


def by_title(found: list[R | BaseException | None]) -> list[R | BaseException | None]:
    """Order records by title, equal titles by id. What is missing or failed stands at the end, as it came."""
    records: list[R] = []
    others: list[R | BaseException | None] = []
    for item in found:
        if item is None or isinstance(item, BaseException):
            others.append(item)
        else:
            records.append(item)
    records.sort(key=title_order)
    return [*records, *others]


def title_order(record: Record) -> tuple[str, int]:
    """Sorts records so."""
    return record.title, record.id
