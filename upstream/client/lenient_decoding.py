"""Mends values of v4 that do not fit as they are, if that loses nothing, and leaves out the others.

Contract section 3: the column of ``commits_over_52`` is JSON, in which the database takes anything, and a moment before
18 November 1883 has an offset with seconds, which RFC 3339 and JSON encoders lack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

_names = msgspec.json.Decoder(dict[str, msgspec.Raw])

_MOMENTS = frozenset(
    ("created", "modified", "last_updated", "last_fetched", "last_committed", "last_released")
)
_OFFSET_WITH_SECONDS = re.compile(r".*T.*[-+]\d\d:\d\d:[0-5]\d")
_MINUTE = timedelta(minutes=1)


def mended(values: dict[str, Any], droppable: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of a record with what can be taken, and the names of those that are ``None`` because
    nothing can.

    ``droppable`` names the fields that may be, with their types. Whole floats become integers, in lists too, and a
    moment keeps its instant under an offset of whole minutes.
    """
    taken = {
        name: _in_whole_minutes(value) if name in _MOMENTS else _whole(value)
        for name, value in values.items()
    }
    unfit = tuple(_unfit(taken, droppable))
    return taken | dict.fromkeys(unfit), unfit


def field_names(body: bytes | msgspec.Raw) -> frozenset[str]:
    """Return the names of all fields of a record, known or not; none if the body is no object."""
    try:
        return frozenset(_names.decode(body))
    except (ValueError, RecursionError):
        return frozenset()


def _unfit(values: Mapping[str, Any], droppable: Mapping[str, Any]) -> Iterable[str]:
    for name, type_ in droppable.items():
        if name in values:
            try:
                msgspec.convert(values[name], type_)
            except msgspec.ValidationError:
                yield name


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_whole_minutes(value: Any) -> Any:
    if not (isinstance(value, str) and _OFFSET_WITH_SECONDS.fullmatch(value)):
        return value
    try:
        moment = datetime.fromisoformat(value)
        offset = moment.utcoffset()
        assert offset is not None
        return moment.astimezone(timezone(round(offset / _MINUTE) * _MINUTE)).isoformat()
    except (ValueError, OverflowError):
        return value
