"""Tests what is a change of the catalog: what its version sees, and what a comparison of two finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.catalog_difference import CatalogDifference, FieldDifference, RecordKey, compare
from catalog.indexed_catalog import Catalog
from tests.support.made_records import NOON, catalog_of, category, grid, package
from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord, Record

# One other value for each field but the id.
PACKAGE_CHANGES: dict[str, Any] = {
    "title": "Title 1",
    "slug": "slug-one",
    "last_updated": NOON,
    "last_fetched": NOON,
    "repo_url": "https://github.com/owner/name",
    "pypi_version": "",
    "created": NOON.astimezone(UTC),  # the same instant, but clients see another text
    "modified": NOON + timedelta(microseconds=1),
    "repo_forks": 1,
    "repo_description": " ",
    "pypi_url": "x",
    "documentation_url": "",
    "repo_watchers": 1,
    "commits_over_52": None,
    "participants": ("",),
    "category": 2,
    "grids": (1,),
    "unfit": ("last_updated",),
}
GRID_CHANGES: dict[str, Any] = {
    "title": "Grid 1",
    "slug": "grid-one",
    "description": "\r\n",
    "is_locked": True,
    "header": True,
    "created": NOON + timedelta(seconds=1),
    "modified": NOON + timedelta(seconds=1),
    "packages": (1,),
}
CATEGORY_CHANGES: dict[str, Any] = {
    "title": "App",
    "slug": "app",
    "description": "a",
    "title_plural": "",
    "show_pypi": False,
    "created": NOON + timedelta(seconds=1),
    "modified": NOON + timedelta(seconds=1),
}
FIELD_CHANGES = [
    (make(1), field, value)
    for make, values in ((package, PACKAGE_CHANGES), (grid, GRID_CHANGES), (category, CATEGORY_CHANGES))
    for field, value in values.items()
]

packages = st.builds(
    package,
    st.integers(1, 9),
    title=st.sampled_from(["a", "B", "é"]),
    repo_watchers=st.integers(0, 2),
    last_updated=st.sampled_from([None, NOON, NOON.astimezone(UTC), NOON - timedelta(days=1)]),
    commits_over_52=st.sampled_from([None, (), (0,) * 52, (1,) * 52]),
    participants=st.lists(st.sampled_from(["ann", "Ann", "ben[bot]"])).map(tuple),
    category=st.integers(1, 3),
    grids=st.lists(st.integers(1, 3), unique=True).map(tuple),
)
grids = st.builds(grid, st.integers(1, 3), packages=st.lists(st.integers(1, 9), unique=True).map(tuple))
categories = st.builds(category, st.integers(1, 3), slug=st.sampled_from(["apps", "other"]))


Parts = tuple[list[PackageRecord], list[GridRecord], list[CategoryRecord]]
parts: st.SearchStrategy[Parts] = st.tuples(
    st.lists(packages, unique_by=lambda record: record.id),
    st.lists(grids, unique_by=lambda record: record.id),
    st.lists(categories, unique_by=lambda record: record.id),
)


# The version


@given(parts, st.randoms())
def test_the_version_does_not_depend_on_the_order_of_the_records(parts: Parts, random: Random) -> None:
    built = Catalog.build(*parts)
    for records in parts:
        random.shuffle(records)
    copies = msgspec.convert(msgspec.to_builtins(parts), Parts)
    assert Catalog.build(*copies).version == built.version


Told = tuple[tuple[RecordKey, ...], list[tuple[str, int, tuple[str, ...]]], tuple[RecordKey, ...]]

NOTHING: Told = ((), [], ())


def told(changes: CatalogDifference) -> Told:
    """Return what came, what changed in which fields, and what is gone."""
    return changes.added, [(each.kind, each.id, each.names) for each in changes.changed], changes.removed


@pytest.mark.parametrize(("record", "field", "value"), FIELD_CHANGES)
def test_the_version_and_the_comparison_see_a_change_of_any_field(
    record: Record, field: str, value: object
) -> None:
    old = catalog_of(record)
    new = catalog_of(msgspec.structs.replace(record, **{field: value}))
    kind = type(record).__name__.removesuffix("Record").lower()
    assert old.version != new.version
    assert told(compare(old, new)) == ((), [(kind, 1, (field,))], ())


@pytest.mark.parametrize("kind", [PackageRecord, GridRecord, CategoryRecord])
def test_no_field_is_left_out_of_the_tests_of_changes(kind: type[Record]) -> None:
    tested = {field for record, field, _ in FIELD_CHANGES if isinstance(record, kind)}
    assert tested == {*kind.__struct_fields__} - {"id"}


def test_the_version_is_32_hexadecimal_digits_and_sees_added_records() -> None:
    versions = {catalog_of(*records).version for records in ((), (package(1),), (grid(1),), (package(2),))}
    assert len(versions) == 4
    assert all(len(version) == 32 and int(version, 16) for version in versions)


def test_the_order_of_packages_in_a_grid_is_no_change() -> None:
    # Upstream turns ties from request to request: contract section 2.
    old, new = catalog_of(grid(1, packages=(1, 2))), catalog_of(grid(1, packages=(2, 1)))
    assert old.version == new.version
    assert told(compare(old, new)) == NOTHING
    moved = catalog_of(grid(1, packages=(2, 1), title="new"))
    assert told(compare(old, moved)) == ((), [("grid", 1, ("title",))], ())


# Comparing


@given(parts, parts)
def test_a_comparison_finds_exactly_what_is_different(before: Parts, after: Parts) -> None:
    old, new = Catalog.build(*before), Catalog.build(*after)
    changes = compare(old, new)
    for kind, olds, news in (
        ("package", old.packages, new.packages),
        ("grid", old.grids, new.grids),
        ("category", old.categories, new.categories),
    ):
        assert [id for k, id in changes.added if k == kind] == sorted({*news} - {*olds})
        assert [id for k, id in changes.removed if k == kind] == sorted({*olds} - {*news})
        found = {change.id: change.names for change in changes.changed if change.kind == kind}
        assert list(found) == sorted(found)
        for id in {*olds} & {*news}:
            assert found.get(id, ()) == naive_fields(olds[id], news[id])
    assert (changes.before, changes.after) == (old.version, new.version)
    assert (told(changes) == NOTHING) == (old.version == new.version)


def naive_fields(old: Record, new: Record) -> tuple[str, ...]:
    return tuple(
        field
        for field in old.__struct_fields__
        if seen(field, getattr(old, field)) != seen(field, getattr(new, field))
    )


def seen(field: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return set(value) if field == "packages" and isinstance(value, tuple) else value


def test_a_comparison_names_kinds_in_one_order() -> None:
    old = catalog_of(package(1), package(2), grid(1), category(1))
    new = catalog_of(package(2, title="x", slug="y"), package(9), package(3), grid(2), category(1, slug="x"))
    assert told(compare(old, new)) == (
        (RecordKey("package", 3), RecordKey("package", 9), RecordKey("grid", 2)),
        [("package", 2, ("title", "slug")), ("category", 1, ("slug",))],
        (RecordKey("package", 1), RecordKey("grid", 1)),
    )


def test_a_comparison_has_the_values_of_fields_before_and_after() -> None:
    old = catalog_of(package(1, title="old"), grid(1, packages=(3, 1)))
    new = catalog_of(package(1, title="new"), grid(1, packages=(1, 2)))
    assert [each.fields for each in compare(old, new).changed] == [
        (FieldDifference("title", "old", "new"),),
        (FieldDifference("packages", [3, 1], [1, 2]),),
    ]
