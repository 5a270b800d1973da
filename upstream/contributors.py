"""Those who contributed to packages, as the catalog knows them: by login, in any case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from upstream.catalog import Catalog
from upstream.orders import Order


@dataclass(frozen=True, slots=True)
class Contributor:
    """Someone who is among the participants of packages."""

    login: str
    """As the newest package spells it."""
    packages: tuple[int, ...]
    """Their ids, newest first."""

    @property
    def key(self) -> str:
        """The login by which they are told apart."""
        return self.login.casefold()


def contributors(catalog: Catalog) -> Mapping[str, Contributor]:
    """All of them by case-folded login, for :meth:`~upstream.catalog.Catalog.view`."""
    spellings: dict[str, str] = {}
    for package in catalog.packages.values():
        for login in package.participants:
            spellings.setdefault(login.casefold(), login)
    return {
        key: Contributor(spelling, catalog.contributor_packages[key]) for key, spelling in spellings.items()
    }


def co_contributors(catalog: Catalog, contributor: Contributor) -> list[tuple[Contributor, int]]:
    """Those who contributed to the same packages, and to how many: the most first, then by login."""
    shared: Counter[str] = Counter()
    for id in contributor.packages:
        package = catalog.packages.get(id)
        if package is not None:
            shared.update({login.casefold() for login in package.participants})
    del shared[contributor.key]
    everyone = catalog.view(contributors)
    return [(everyone[key], shared[key]) for key in sorted(shared, key=lambda key: (-shared[key], key))]


def by_package_count(*, descending: bool) -> Order[Contributor]:
    """By how many packages they contributed to."""
    name = f"package count {'descending' if descending else 'ascending'}"
    return Order(name, lambda contributor: len(contributor.packages), int, descending, key_type=str)


def by_login(*, descending: bool) -> Order[Contributor]:
    """By login, in any case."""
    name = f"login {'descending' if descending else 'ascending'}"
    return Order(name, lambda contributor: contributor.key, str, descending, key_type=str)
