"""The catalog: its version, every index against a naive scan of the records, and what changed between two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.catalog import Catalog, Change, Changes, Key, PackageOrder, compare
from upstream.client import Client, in_process
from upstream.embedded import Catalogue, EmbeddedUpstream
from upstream.identity import pypi_name, repository
from upstream.records import CATEGORY, GRID, PACKAGE, Category, Grid, Package, Record

NOON = datetime(2026, 2, 16, 12, tzinfo=timezone(timedelta(hours=-5)))


def package(id: int, **fields: object) -> Package:
    defaults: dict[str, Any] = {
        "title": f"title {id}",
        "slug": f"slug-{id}",
        "last_updated": None,
        "last_fetched": None,
        "repo_url": "",
        "pypi_version": None,
        "created": NOON,
        "modified": NOON,
        "repo_forks": 0,
        "repo_description": "",
        "pypi_url": "",
        "documentation_url": None,
        "repo_watchers": 0,
        "commits_over_52": (),
        "participants": (),
        "category": 1,
        "grids": (),
    }
    return Package(id=id, **defaults | fields)


def grid(id: int, **fields: object) -> Grid:
    defaults: dict[str, Any] = {
        "title": f"grid {id}",
        "slug": f"grid-{id}",
        "description": "",
        "is_locked": False,
        "header": False,
        "created": NOON,
        "modified": NOON,
        "packages": (),
    }
    return Grid(id=id, **defaults | fields)


def category(id: int, **fields: object) -> Category:
    defaults: dict[str, Any] = {
        "title": "Apps",
        "slug": "apps",
        "description": "",
        "title_plural": "Apps",
        "show_pypi": True,
        "created": NOON,
        "modified": NOON,
    }
    return Category(id=id, **defaults | fields)


def catalog_of(*records: Record) -> Catalog:
    return Catalog.build(
        [record for record in records if isinstance(record, Package)],
        [record for record in records if isinstance(record, Grid)],
        [record for record in records if isinstance(record, Category)],
    )


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


Parts = tuple[list[Package], list[Grid], list[Category]]
parts: st.SearchStrategy[Parts] = st.tuples(
    st.lists(packages, unique_by=lambda record: record.id),
    st.lists(grids, unique_by=lambda record: record.id),
    st.lists(categories, unique_by=lambda record: record.id),
)


class Whole(NamedTuple):
    packages: list[Package]
    grids: list[Grid]
    categories: list[Category]
    catalog: Catalog


@pytest.fixture
async def whole(whole_catalogue: Catalogue) -> AsyncIterator[Whole]:
    client = Client("http://upstream.test/api/v4/", in_process(EmbeddedUpstream(catalogue=whole_catalogue)))
    kinds = (
        (await client.page(PACKAGE, limit=10_000)).records,
        (await client.page(GRID, limit=1_000)).records,
        (await client.page(CATEGORY, limit=100)).records,
    )
    yield Whole(*kinds, Catalog.build(*kinds))
    await client.aclose()


# The version


@given(parts, st.randoms())
def test_the_version_does_not_depend_on_the_order_of_the_records(parts: Parts, random: Random) -> None:
    built = Catalog.build(*parts)
    for records in parts:
        random.shuffle(records)
    copies = msgspec.convert(msgspec.to_builtins(parts), Parts)
    assert Catalog.build(*copies).version == built.version


@pytest.mark.parametrize(("record", "field", "value"), FIELD_CHANGES)
def test_the_version_and_the_comparison_see_a_change_of_any_field(
    record: Record, field: str, value: object
) -> None:
    old = catalog_of(record)
    new = catalog_of(msgspec.structs.replace(record, **{field: value}))
    kind = type(record).__name__.lower()
    assert old.version != new.version
    assert compare(old, new) == Changes((), (Change(kind, 1, (field,)),), ())


@pytest.mark.parametrize("kind", [Package, Grid, Category])
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
    assert compare(old, new) == Changes((), (), ())
    moved = catalog_of(grid(1, packages=(2, 1), title="new"))
    assert compare(old, moved).changed == (Change("grid", 1, ("title",)),)


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
        found = {change.id: change.fields for change in changes.changed if change.kind == kind}
        assert list(found) == sorted(found)
        for id in {*olds} & {*news}:
            assert found.get(id, ()) == naive_fields(olds[id], news[id])
    assert (changes == Changes((), (), ())) == (old.version == new.version)


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
    assert compare(old, new) == Changes(
        added=(Key("package", 3), Key("package", 9), Key("grid", 2)),
        changed=(Change("package", 2, ("title", "slug")), Change("category", 1, ("slug",))),
        removed=(Key("package", 1), Key("grid", 1)),
    )


# Indexes


async def test_records_are_by_id_in_upstreams_own_order(whole: Whole) -> None:
    assert len(whole.packages) == 5400
    assert [*whole.catalog.packages.items()] == [(record.id, record) for record in whole.packages]
    assert [*whole.catalog.grids.items()] == [(record.id, record) for record in whole.grids]
    assert [*whole.catalog.categories.items()] == [(record.id, record) for record in whole.categories]


async def test_every_index_agrees_with_a_naive_scan(whole: Whole) -> None:
    catalog, newest = whole.catalog, whole.packages
    oldest = newest[::-1]
    assert catalog.package_slugs == {package.slug: package.id for package in newest}
    assert catalog.grid_slugs == {grid.slug: grid.id for grid in whole.grids}
    assert catalog.category_slugs == {category.slug: category.id for category in whole.categories}
    assert catalog.pypi_names == grouped(oldest, lambda package: [pypi_name(package.pypi_url)])
    assert catalog.repositories == grouped(oldest, lambda package: [repository(package.repo_url)])
    assert catalog.contributor_packages == grouped(
        newest, lambda package: {login.casefold() for login in package.participants}
    )
    assert catalog.category_packages == {
        category.id: tuple(package.id for package in newest if package.category == category.id)
        for category in whole.categories
    }
    by_title = [package.id for package in sorted(newest, key=lambda package: (package.title, package.id))]
    assert catalog.grid_packages == {
        grid.id: tuple(id for id in by_title if id in grid.packages) for grid in whole.grids
    }
    # None of the comparisons above was one of nothing with nothing.
    assert min(len(catalog.pypi_names), len(catalog.repositories), len(catalog.contributor_packages)) > 1000


def grouped(
    packages: Iterable[Package], names: Callable[[Package], Iterable[str | None]]
) -> dict[str, tuple[int, ...]]:
    ids: dict[str, tuple[int, ...]] = {}
    for package in packages:
        for name in names(package):
            if name is not None:
                ids[name] = (*ids.get(name, ()), package.id)
    return ids


async def test_every_order_agrees_with_a_naive_sort(whole: Whole) -> None:
    values: dict[PackageOrder, Callable[[Package], Any]] = {
        PackageOrder.TITLE: lambda package: package.title,
        PackageOrder.STARS: lambda package: package.repo_watchers,
        PackageOrder.FORKS: lambda package: package.repo_forks,
        PackageOrder.CREATED: lambda package: package.created,
        PackageOrder.MODIFIED: lambda package: package.modified,
        PackageOrder.LAST_COMMIT: lambda package: package.last_updated,
        PackageOrder.COMMITS_IN_52_WEEKS: lambda package: (
            sum(package.commits_over_52) if package.commits_over_52 else None
        ),
        PackageOrder.GRIDS: lambda package: len(package.grids),
    }
    assert set(values) == set(PackageOrder)
    for order, value in values.items():
        known = [package for package in whole.packages if value(package) is not None]
        known.sort(key=lambda package: (value(package), package.id))
        missing = sorted(package.id for package in whole.packages if value(package) is None)
        assert whole.catalog.order(order) == (*(package.id for package in known), *missing)


def test_an_order_puts_missing_values_last_and_ties_by_id() -> None:
    catalog = catalog_of(
        package(4, commits_over_52=(0,) * 52),
        package(2, commits_over_52=None),
        package(3, commits_over_52=(2,) * 52),
        package(1, commits_over_52=()),
        package(5, commits_over_52=(0,) * 52),
    )
    assert catalog.order(PackageOrder.COMMITS_IN_52_WEEKS) == (4, 5, 3, 1, 2)


def test_an_order_is_computed_once() -> None:
    catalog = catalog_of(package(1), package(2))
    assert catalog.order(PackageOrder.TITLE) is catalog.order(PackageOrder.TITLE)


def test_moments_are_ordered_as_instants_whatever_their_offset() -> None:
    # 1:30 comes twice in the night when summer time ends: contract section 3.
    half_past_one = datetime(2013, 11, 3, 1, 30)
    catalog = catalog_of(
        package(1, created=half_past_one.replace(tzinfo=timezone(timedelta(hours=-5)))),
        package(2, created=half_past_one.replace(tzinfo=timezone(timedelta(hours=-4)))),
    )
    assert catalog.order(PackageOrder.CREATED) == (2, 1)


def test_the_lowest_id_has_a_slug_that_records_share() -> None:
    assert catalog_of(category(8), category(3), category(5)).category_slugs == {"apps": 3}


def test_of_records_with_one_id_the_last_counts() -> None:
    # A list that moves while it is paged sends a record twice: contract section 2.
    catalog = catalog_of(package(1, slug="old", participants=("ann",)), package(1, slug="new"))
    assert catalog.package_slugs == {"new": 1}
    assert catalog.contributor_packages == {}


def test_a_contributor_is_one_person_in_any_spelling() -> None:
    catalog = catalog_of(package(1, participants=("Ann", "ann", "Ben")), package(2, participants=("ANN",)))
    assert catalog.contributor_packages == {"ann": (2, 1), "ben": (1,)}


def test_packages_with_one_name_or_repository_are_all_found_oldest_first() -> None:
    catalog = catalog_of(
        package(7, pypi_url="Django_X", repo_url="https://github.com/O/N"),
        package(2, pypi_url="https://pypi.org/project/django-x/", repo_url="git@github.com:o/n.git"),
        package(3, pypi_url="none at all", repo_url="http://["),
    )
    assert catalog.pypi_names == {"django-x": (2, 7)}
    assert catalog.repositories == {"github.com/o/n": (2, 7)}


def test_a_grid_has_only_packages_that_are_known() -> None:
    catalog = catalog_of(grid(1, packages=(9, 2, 1)), grid(2), package(1, title="b"), package(2, title="a"))
    assert catalog.grid_packages == {1: (2, 1), 2: ()}


def test_a_category_is_there_without_packages_and_packages_without_their_category() -> None:
    catalog = catalog_of(category(1), package(1, category=2), package(3, category=2))
    assert catalog.category_packages == {1: (), 2: (3, 1)}


def test_a_catalog_is_frozen_and_says_what_it_is() -> None:
    catalog = catalog_of(package(1), grid(1))
    with pytest.raises(FrozenInstanceError):
        catalog.version = "x"  # type: ignore[misc]
    assert repr(catalog) == f"<Catalog {catalog.version}: 1 packages, 1 grids, 0 categories>"
