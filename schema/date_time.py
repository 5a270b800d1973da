"""Declares the scalar ``DateTime``: a moment by RFC 3339."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:[0-5]\d)", re.ASCII)
"""Matches texts that Python itself reads as Strawberry's parser does, in a hundredth of the time."""


def _parse(value: Any) -> Any:
    """Return a moment that a client names. A date alone means the start of the day in UTC.

    :raises StrawberryInputCoercionError: it is neither.
    """
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise StrawberryInputCoercionError(f'There is no day "{value}".') from None
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if isinstance(value, str) and _USUAL.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    assert DateTimeDefinition.parse_value is not None
    return DateTimeDefinition.parse_value(value)


DATE_TIME: ScalarDefinition = replace(
    DateTimeDefinition,
    description="A moment, such as `2026-01-31T12:00:00+00:00`. As input, a date such as `2026-01-31` is "
    "accepted too, and stands for the start of that day in UTC.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    parse_value=_parse,
)
"""Strawberry's own definition, which the engine knows by its function for output."""
