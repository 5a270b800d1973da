"""Defines the order of a relation to many, which upstream leaves open (contract section 2)."""

from __future__ import annotations

from catalog import title_order
from upstream.client import R


def by_title(found: list[R | BaseException | None]) -> list[R | BaseException | None]:
    """Order records by title, regardless of case, and equal titles by id.

    Missing records and errors come last, in the order in which they came.
    """
    records: list[R] = []
    others: list[R | BaseException | None] = []
    for item in found:
        if item is None or isinstance(item, BaseException):
            others.append(item)
        else:
            records.append(item)
    records.sort(key=title_order)
    return [*records, *others]
