"""Prints versions of the catalog, and what differs between two, as lines for a terminal."""

from __future__ import annotations

from collections import Counter

import msgspec

from catalog import RecordKey
from catalog.history import CatalogVersion, RecordDelta
from catalog.storage import StoragePort, Stored
from cli.sync_progress import listed
from upstream.client import CATEGORY, GRID, KINDS, PACKAGE

MAX_FIELDS = 4
"""Fields that are named for a version: those that changed in most records."""

LONGEST_VALUE = 60
"""Characters of a value that are shown."""


def version_lines(storage: StoragePort, limit: int) -> list[str]:
    """Return up to ``limit`` versions, newest first, three lines each; and which of them is pinned."""
    versions, pinned = storage.history.versions(limit), storage.history.pinned()
    if not versions:
        return ["No catalog is stored."]
    lines: list[str] = []
    for version in versions:
        marks = ["newest"] if version is versions[0] else []
        marks += ["pinned"] if pinned is not None and pinned.number == version.number else []
        marks += ["rolled back to"] if version.cause == "rollback" else []
        lines += [
            f"{version.version}  {version.at:%Y-%m-%d %H:%M:%S} UTC{_in_brackets(marks)}",
            f"  {_counted(version)}",
            f"  {_changed(version)}",
        ]
    oldest = storage.history.oldest()
    if oldest is not None and versions[-1].number != oldest.number:
        lines.append(f"Older ones reach back to {oldest.at:%Y-%m-%d %H:%M:%S} UTC; --limit lists more.")
    if pinned is not None:
        lines.append(f"Version {pinned.version} is pinned: it is served, and crawls only add to the history.")
    return lines


def difference_lines(storage: StoragePort, one: CatalogVersion, other: CatalogVersion) -> list[str]:
    """Return what has to happen to ``one`` to become ``other``."""
    deltas = storage.history.difference(one.number, other.number)
    if not deltas:
        return ["Nothing is different."]
    slugs = _slugs(storage.load())
    lines: list[str] = []
    for title, sort in (("Added", "added"), ("Changed", "changed"), ("Removed", "removed")):
        lines += listed(title, [_line(delta, slugs) for delta in deltas if delta.sort == sort])
    return lines


def _line(delta: RecordDelta, slugs: dict[RecordKey, str]) -> str:
    known = {**delta.before, **delta.after}.get("slug") or slugs.get(RecordKey(delta.kind, delta.id), "")
    fields = ", ".join(f"{field.name} {_short(field.old)} -> {_short(field.new)}" for field in delta.fields)
    return f"{delta.kind} {delta.id} {known}{': ' if fields else ''}{fields}"


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _slugs(stored: Stored | None) -> dict[RecordKey, str]:
    if stored is None:
        return {}
    return {
        **{RecordKey(PACKAGE.singular, record.id): record.slug for record in stored.packages},
        **{RecordKey(GRID.singular, record.id): record.slug for record in stored.grids},
        **{RecordKey(CATEGORY.singular, record.id): record.slug for record in stored.categories},
    }


def _counted(version: CatalogVersion) -> str:
    return ", ".join(f"{version.counts.get(kind.singular, 0):,} {kind.plural}" for kind in KINDS)


def _changed(version: CatalogVersion) -> str:
    totals: Counter[str] = Counter()
    for of_kind in version.changes.values():
        totals.update({str(sort): number for sort, number in of_kind.items()})
    if not totals:
        return "history begins here" if version.cause == "crawl" else "nothing changed"
    changed = ", ".join(
        f"{totals[sort]:,} {sort}" for sort in ("added", "changed", "removed") if totals[sort]
    )
    fields = Counter(version.fields).most_common(MAX_FIELDS)
    more = len(version.fields) - len(fields)
    named = ", ".join(f"{name} {number:,}" for name, number in fields) + (f", {more} more" if more else "")
    return f"{changed} ({named})" if named else changed


def _in_brackets(marks: list[str]) -> str:
    return f"  ({', '.join(marks)})" if marks else ""
