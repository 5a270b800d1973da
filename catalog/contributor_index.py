"""Finds the contributors of packages in a catalog, by login in any case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest

from catalog.indexed_catalog import Catalog


@dataclass(frozen=True, slots=True)
class ContributorRecord:
    """Describes someone who is among the participants of packages."""

    login: str
    """The login as the newest package spells it."""
    packages: tuple[int, ...]
    """The ids of the packages, newest first."""

    @property
    def key(self) -> str:
        """Return the case-folded login, which identifies a contributor."""
        return self.login.casefold()


def contributors(catalog: Catalog) -> Mapping[str, ContributorRecord]:
    """Return all contributors by case-folded login, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    spellings: dict[str, str] = {}
    for package in catalog.packages.values():
        for login in package.participants:
            spellings.setdefault(login.casefold(), login)
    return {
        key: ContributorRecord(spelling, catalog.contributor_packages[key])
        for key, spelling in spellings.items()
    }


def participants(catalog: Catalog) -> Mapping[int, tuple[str, ...]]:
    """Return the keys of the contributors of each package, each once, for
    :meth:`~catalog.indexed_catalog.Catalog.view`."""
    keys: defaultdict[int, list[str]] = defaultdict(list)
    for key, ids in catalog.contributor_packages.items():
        for id in ids:
            keys[id].append(key)
    return {id: tuple(theirs) for id, theirs in keys.items()}


def shared_participations(catalog: Catalog, contributor: ContributorRecord) -> int:
    """Return how many names :func:`co_contributors` has to count."""
    keys = catalog.view(participants)
    return sum(len(keys.get(id, ())) for id in contributor.packages)


def co_contributors(
    catalog: Catalog, contributor: ContributorRecord, most: int
) -> list[tuple[ContributorRecord, int]]:
    """Return the people who contributed to the same packages, with the number of these packages: the most first, then
    by login."""
    keys = catalog.view(participants)
    shared: Counter[str] = Counter()
    for id in contributor.packages:
        shared.update(keys.get(id, ()))
    del shared[contributor.key]
    ranked = [(-count, key) for key, count in shared.items()]
    # If there are only a few, sorting all of them is faster than finding the first ones.
    ranked = sorted(ranked)[:most] if 8 * most > len(ranked) else nsmallest(most, ranked)
    everyone = catalog.view(contributors)
    return [(everyone[key], -count) for count, key in ranked]
