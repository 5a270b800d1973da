"""Defines the order of a relation to many, which upstream leaves open (contract section 2)."""

from __future__ import annotations

from catalog import title_order
from upstream.client import R


def by_title(found: list[R | BaseException | None]) -> list[R | BaseException]:
    """Order records by title, regardless of case, and equal titles by id. Errors are at the end, in their order.

    Missing records were removed after they were named, and are left out.
    """
    records: list[R] = []
    errors: list[BaseException] = []
    for item in found:
        if isinstance(item, BaseException):
            errors.append(item)
        elif item is not None:
            records.append(item)
    records.sort(key=title_order)
    return [*records, *errors]
