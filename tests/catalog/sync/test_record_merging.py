"""Tests what single records prove: the catalog with them agrees with itself."""

from __future__ import annotations

from catalog.indexed_catalog import Catalog
from catalog.sync.record_merging import ShownRecords, with_shown_records
from tests.support.made_records import catalog_of, category, grid, package

KNOWN = catalog_of(
    package(1, grids=(1,)),
    package(2, grids=(1, 2)),
    package(3),
    grid(1, packages=(1, 2)),
    grid(2, packages=(2,)),
    category(1),
)


def memberships(catalog: Catalog) -> set[tuple[int, int]]:
    """Return the pairs of package and grid, which both sides must tell."""
    of_packages = {(package.id, grid) for package in catalog.packages.values() for grid in package.grids}
    of_grids = {(package, grid.id) for grid in catalog.grids.values() for package in grid.packages}
    assert of_packages == of_grids
    return of_packages


def with_records(*records: object) -> Catalog:
    shown = ShownRecords()
    for record in records:
        shown.add(record)  # type: ignore[arg-type]
    return with_shown_records(KNOWN, shown)


def test_a_new_grid_is_named_by_its_packages() -> None:
    catalog = with_records(grid(3, packages=(1, 3)))
    assert memberships(catalog) == {(1, 1), (2, 1), (2, 2), (1, 3), (3, 3)}


def test_a_new_package_is_named_by_its_grids() -> None:
    catalog = with_records(package(4, grids=(1, 2)))
    assert memberships(catalog) == {(1, 1), (2, 1), (2, 2), (4, 1), (4, 2)}


def test_a_package_that_left_a_grid_and_joined_another_is_on_that_alone() -> None:
    catalog = with_records(package(1, slug="renamed", grids=(2,)))
    assert memberships(catalog) == {(2, 1), (2, 2), (1, 2)}
    assert "slug-1" not in catalog.package_slugs


def test_a_grid_that_was_renamed_and_emptied_is_named_by_nobody() -> None:
    assert memberships(with_records(grid(1, slug="renamed"))) == {(2, 2)}


def test_a_new_package_on_a_new_grid_is_on_it_once() -> None:
    catalog = with_records(package(4, grids=(3,)), grid(3, packages=(4,)))
    assert memberships(catalog) == {(1, 1), (2, 1), (2, 2), (4, 3)}


def test_a_new_category_is_there() -> None:
    catalog = with_records(category(2, slug="new"))
    assert catalog.category_slugs["new"] == 2
    assert memberships(catalog) == memberships(KNOWN)
