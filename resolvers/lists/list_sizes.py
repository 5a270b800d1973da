"""Measures how long the lists of one catalog are that the graph gives whole, without pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from catalog import Catalog


class Length(NamedTuple):
    """Says how long the lists of one kind are."""

    longest: int
    usual: float
    """The mean length as seen from the items: a list of 100 counts 100 times, because a hundred records lead to it."""
    mean: float
    """The mean length of all lists."""

    @classmethod
    def of(cls, lengths: Iterable[int]) -> Length:
        """Return the size of lists with these lengths. The longest and the usual one have at least one item."""
        known = list(lengths)
        items = sum(known)
        usual = sum(each * each for each in known) / items if items else 1.0
        return cls(max(known, default=1) or 1, usual, items / len(known) if known else 0.0)

    @classmethod
    def same(cls, length: int) -> Length:
        """Return the size of lists that all have this length."""
        return cls(length, length, length)


ListSizes: TypeAlias = Mapping[tuple[str, str], Length]
"""Lengths by the names of a type and of its field."""

_CATEGORIES, _GRIDS, _PEOPLE, _WEEKS = Length.same(6), Length(10, 3, 1.2), Length(408, 26, 6), Length.same(52)

USUAL_SIZES: ListSizes = {
    ("Grid", "packages"): Length(250, 30, 14),
    ("Package", "grids"): _GRIDS,
    ("RelatedPackage", "sharedGrids"): _GRIDS,
    ("Package", "participants"): _PEOPLE,
    ("Package", "contributors"): _PEOPLE,
    ("Package", "commitsOver52"): _WEEKS,
    ("CommitActivity", "weekly"): _WEEKS,
    ("Contributor", "categories"): _CATEGORIES,
    ("Query", "categories"): _CATEGORIES,
    ("Stats", "byCategory"): _CATEGORIES,
}
"""The sizes of the real site (contract section 3), for as long as there is no catalog."""


OTHER_SIZE = Length.same(10)
"""The size of a list that is not in the catalog, such as the fields of a change."""


def list_sizes(catalog: Catalog) -> ListSizes:
    """Return the sizes of a catalog's lists, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    packages = catalog.packages.values()
    categories = len(catalog.categories)
    grids = Length.of(len(package.grids) for package in packages)
    people = Length.of(len(package.participants) for package in packages)
    weeks = Length.of(len(package.commits_over_52 or ()) for package in packages)
    return {
        ("Grid", "packages"): Length.of(len(grid.packages) for grid in catalog.grids.values()),
        ("Package", "grids"): grids,
        ("RelatedPackage", "sharedGrids"): grids,
        ("Package", "participants"): people,
        ("Package", "contributors"): people,
        ("Package", "commitsOver52"): weeks,
        ("CommitActivity", "weekly"): weeks,
        ("Contributor", "categories"): Length.same(categories),
        ("Query", "categories"): Length.same(categories),
        ("Stats", "byCategory"): Length.same(categories),
    }
