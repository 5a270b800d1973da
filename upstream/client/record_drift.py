"""Counts how upstream's records differ from what the gateway knows of the REST API v4 (contract section 3).

Upstream can change without notice. A new field is ignored, and a record that lacks a field, or has another type in one,
is left out. Otherwise both would go unnoticed until somebody misses something.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord

Difference = Literal["unknown", "missing", "retyped"]

MAX_FIELDS = 100
"""Fields that are counted, each with the way in which it differs. Upstream could send other fields each time."""

MAX_NAME = 64
"""Characters of the name of a field; upstream chooses it."""

_KNOWN = {
    "package": frozenset(PackageRecord.__struct_fields__) - {"unfit"},
    "grid": frozenset(GridRecord.__struct_fields__),
    "category": frozenset(CategoryRecord.__struct_fields__),
}
_MISSING = re.compile(r"missing required field `([^`]+)`")
_RETYPED = re.compile(r" - at `\$\.(\w+)")

_SAID: dict[Difference, str] = {
    "unknown": "have the field %s, which the gateway does not know",
    "missing": "lack the field %s",
    "retyped": "have a value in the field %s that does not fit its type",
}

_log = logging.getLogger(__name__)


class FieldDrift(msgspec.Struct, frozen=True):
    """Says in how many answers or records a field differed."""

    kind: str
    """As in ``Kind.singular``, or ``search hit``."""
    field: str
    difference: Difference
    count: int

    @property
    def words(self) -> str:
        """Return what differs, as the end of a sentence."""
        return f"records of the kind {self.kind} {_SAID[self.difference] % self.field}"


class RecordDrift:
    """Counts the fields that differ, and logs each when it first does."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, Difference]] = Counter()

    def saw_fields(self, kind: str, names: Iterable[str]) -> None:
        """Note the names of the fields of a record. The other records of its answer have the same."""
        for name in sorted(set(names) - _KNOWN[kind]):
            self._note(kind, name, "unknown")

    def saw_unfit(self, kind: str, reason: str) -> None:
        """Note why a record does not fit, as the decoder says it. Reasons that name no field are not counted."""
        if found := _MISSING.search(reason):
            self._note(kind, found[1], "missing")
        elif found := _RETYPED.search(reason):
            self._note(kind, found[1], "retyped")

    def seen(self) -> tuple[FieldDrift, ...]:
        """Return all fields that have differed, by kind and name."""
        return tuple(FieldDrift(*key, count) for key, count in sorted(self._counts.items()))

    def _note(self, kind: str, name: str, difference: Difference) -> None:
        key = (kind, name[:MAX_NAME], difference)
        if key not in self._counts:
            if len(self._counts) >= MAX_FIELDS:
                return
            _log.warning("Upstream has changed: %s.", FieldDrift(*key, 1).words)
        self._counts[key] += 1
