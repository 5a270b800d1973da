"""Validates a crawl. Each validator says in numbers what is implausible about it.

Some faults are visible in a crawl alone, so they are found even if no catalog is known: empty lists, slugs that are
missing or shared, and packages and grids that contradict one another. The other validators compare the crawl with the
known catalog, by the same difference that the change feed tells.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import msgspec

from catalog.catalog_difference import CatalogDifference, FieldDifference
from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import Finding
from catalog.sync.crawl_report import CrawlReport
from upstream.client import GRID, KINDS, PACKAGE, Record

IDENTITY = {"slug", "created"}
"""The fields that identify a record. If many of them change, ids have been given to other records."""

STAMPS = {"modified", "last_fetched", "unfit"}
"""The fields that are not judged, because a migration writes the same moment into all rows."""

MIN_UNREADABLE = 5
"""How many records may be unreadable, however small the catalog is. Each of them is left out by itself."""


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Says how far a crawl may differ from the known catalog. The settings ``GATEWAY_GUARD_*`` describe each limit."""

    fewest_packages: int
    removed_share: float
    removed_packages: int
    changed_share: float
    unreadable_share: float
    missing_slugs: int
    shared_slugs: int
    contradictions: int
    patience: float
    """Seconds for which crawls must agree on what is refused until it is accepted; 0 is never."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Holds a catalog that may be published, and everything by which it is judged."""

    before: Catalog | None
    after: Catalog
    difference: CatalogDifference | None
    """The difference between the known catalog and this one; ``None`` if none was known."""
    report: CrawlReport


NO_PACKAGES, NO_CATEGORIES = "no packages", "no categories"
"""The names of the findings that are never accepted because crawls agree on them."""


def findings_in(candidate: Candidate, limits: GuardLimits) -> tuple[list[Finding], list[Finding]]:
    """Return what is wrong with a catalog by itself, and in comparison with the known one."""
    by_itself = chain.from_iterable(each(candidate, limits) for each in _BY_ITSELF)
    if candidate.before is None:
        return list(by_itself), []
    compared = chain.from_iterable(each(candidate, limits) for each in (_removed, _changed))
    return [*by_itself, *_unreadable(candidate, limits)], list(compared)


# These validators look at a crawl alone.


def _empty(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    packages, categories = len(candidate.after.packages), len(candidate.after.categories)
    known = len(candidate.before.packages) if candidate.before is not None else 0
    if not packages:
        before = f", but {known:,} were known" if known else ""
        sentence = f"Upstream says that it has no packages{before}."
        yield Finding(NO_PACKAGES, limits.fewest_packages, limits.fewest_packages, sentence)
    elif packages < limits.fewest_packages:
        sentence = (
            f"Upstream has {packages:,} packages, and {limits.fewest_packages:,} are the fewest allowed."
        )
        yield Finding("few packages", limits.fewest_packages - packages, limits.fewest_packages, sentence)
    if packages and not categories:
        yield Finding(NO_CATEGORIES, 1, 1, "Upstream says that it has packages but no categories.")


def _missing_slugs(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    empty = sum(not record.slug.strip() for records in _kinds(candidate.after) for record in records.values())
    missing = empty + candidate.report.without_slug
    if missing > limits.missing_slugs:
        sentence = f"Upstream has records without a slug: {missing:,}."
        yield Finding("missing slugs", missing, candidate.report.rows, sentence)


def _shared_slugs(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    # Categories can share a slug (contract section 1).
    catalog = candidate.after
    of = len(catalog.packages) + len(catalog.grids)
    shared = of - len(catalog.package_slugs) - len(catalog.grid_slugs)
    if shared > limits.shared_slugs:
        sentence = f"Upstream has packages or grids with the slug of another one: {shared:,}."
        yield Finding("shared slugs", shared, of, sentence)


def _contradictions(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    number = candidate.report.contradictions
    if number > limits.contradictions:
        sentence = (
            "Upstream's lists contradict one another: a record names another that does not exist, or that does "
            f"not name it in return ({number:,} times)."
        )
        yield Finding("contradictions", number, candidate.report.rows, sentence)


_BY_ITSELF: tuple[Callable[[Candidate, GuardLimits], Iterator[Finding]], ...] = (
    _empty,
    _missing_slugs,
    _shared_slugs,
    _contradictions,
)


# These validators compare a crawl with the known catalog.


def _unreadable(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    # Records that could never be read are left out as before.
    number, of = candidate.report.kept, candidate.report.rows
    if number > max(MIN_UNREADABLE, limits.unreadable_share * of):
        yield Finding("unreadable", number, of, f"{number:,} of {of:,} records can no longer be read.")


def _removed(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    before, difference = candidate.before, candidate.difference
    if before is None or difference is None:
        return
    for kind, records in zip(KINDS, _kinds(before), strict=True):
        removed = [key.id for key in difference.removed if key.kind == kind.singular]
        packages = sum(_packages_of(before, kind.singular, id) for id in removed)
        if len(removed) > limits.removed_share * len(records) and packages > limits.removed_packages:
            sentence = (
                f"Upstream has lost {len(removed):,} of {len(records):,} {kind.plural} since the last crawl."
            )
            yield Finding(f"{kind.plural} removed", len(removed), len(records), sentence)


def _changed(candidate: Candidate, limits: GuardLimits) -> Iterator[Finding]:
    before, difference = candidate.before, candidate.difference
    if before is None or difference is None:
        return
    fields: defaultdict[tuple[str, str], dict[int, FieldDifference]] = defaultdict(dict)
    for change in difference.changed:
        for field in change.fields:
            if field.name not in STAMPS:
                fields[change.kind, field.name][change.id] = field
    for kind, records in zip(KINDS, _kinds(before), strict=True):
        for (of_kind, name), changes in fields.items():
            if of_kind != kind.singular or len({_encode(each.old) for each in changes.values()}) == 1:
                continue  # a field with the same value in all records loses nothing when it gets other values
            found = _most_changed(before, kind.singular, records, name, changes, limits)
            if found is not None:
                number, of = found
                sentence = f"{number:,} of {of:,} {kind.plural} have lost or changed their {name} at once."
                yield Finding(f"{kind.plural} changed: {name}", number, of, sentence)


def _most_changed(
    catalog: Catalog,
    kind: str,
    records: Mapping[int, Record],
    name: str,
    changes: Mapping[int, FieldDifference],
    limits: GuardLimits,
) -> tuple[int, int] | None:
    """Return the number of changed records and the number compared, if too many changed.

    Changes to one value, such as 0 or nothing, count among the records that had another one. In fields that
    tell which record it is all changes count, among all records.
    """
    ((value, _),) = Counter(_encode(each.new) for each in changes.values()).most_common(1)
    to_one = [
        (id, id in changes and _encode(changes[id].new) == value)
        for id, record in records.items()
        if _encode(getattr(record, name)) != value
    ]
    found = _too_many(catalog, kind, to_one, limits)
    if found is None and name in IDENTITY:
        found = _too_many(catalog, kind, [(id, id in changes) for id in records], limits)
    return found


def _too_many(
    catalog: Catalog, kind: str, changed: list[tuple[int, bool]], limits: GuardLimits
) -> tuple[int, int] | None:
    """Return the number of changed records and the number compared, if too many changed. All records are compared, or
    those from one end of the list on.

    A crawl reads from the newest to the oldest. If upstream began to fail meanwhile, the records that were read before
    are unchanged, and nearly all others have changed.
    """
    longest: tuple[int, int] | None = None
    for records in (changed, changed[::-1]):
        number = packages = 0
        for of, (id, has_changed) in enumerate(records, 1):
            if has_changed:
                number += 1
                packages += _packages_of(catalog, kind, id)
            allowed = limits.changed_share if of == len(records) else (1 + limits.changed_share) / 2
            too_many = number > allowed * of and packages > limits.removed_packages
            if too_many and (longest is None or of > longest[1]):
                longest = number, of
    return longest


def _packages_of(catalog: Catalog, kind: str, id: int) -> int:
    """Return how many packages a record stands for: a grid and a category for those that are in it."""
    if kind == PACKAGE.singular:
        return 1
    members = catalog.grid_packages if kind == GRID.singular else catalog.category_packages
    return len(members.get(id, ()))


def _kinds(catalog: Catalog) -> tuple[Mapping[int, Record], ...]:
    """Return the records of each kind, in the order of ``KINDS``."""
    return catalog.packages, catalog.grids, catalog.categories


_encode = msgspec.json.Encoder().encode
