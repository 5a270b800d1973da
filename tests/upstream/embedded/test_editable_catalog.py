"""Tests the generated catalog: the same everywhere, with the real records and every trap of the contract."""

import hashlib
from collections import Counter

import msgspec
import pytest

from tests.support.generated_upstreams import shared_rows
from upstream.embedded import (
    SEED_IDS,
    EmbeddedCatalog,
    EmbeddedUpstream,
    GridRow,
    generated_catalog,
    seed_record,
)
from upstream.embedded.seeded_random import eastern


@pytest.fixture
def default(whole_embedded_catalog: EmbeddedCatalog) -> EmbeddedCatalog:
    """Return the catalog of the default size. Shared: do not change it."""
    return whole_embedded_catalog


def fingerprint(catalog: EmbeddedCatalog) -> str:
    rows = [list(catalog.rows(kind).values()) for kind in ("packages", "grids", "categories")]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


def members_disagreeing(catalog: EmbeddedCatalog) -> set[tuple[int, int]]:
    by_package = {(row.id, grid) for row in catalog.packages.values() for grid in row.grids}
    by_grid = {(package, row.id) for row in catalog.grids.values() for package in row.packages}
    return by_package ^ by_grid


def test_the_default_catalog_is_the_same_everywhere(default: EmbeddedCatalog) -> None:
    assert fingerprint(default) == "621ddfdbe2ec3478c0e608834726b90307a8645b0d50629f5232b7bd19ed6a21"


def test_a_small_catalog_is_the_same_everywhere_and_follows_the_seed() -> None:
    assert (
        fingerprint(generated_catalog(50, seed=1))
        == "67205e2c4424fc64052b78ae4167080ebf320e5e1e0ceb473c6794faa5fdf9f4"
    )
    assert (
        fingerprint(generated_catalog(50, seed=2))
        == "6bc7111c1ddbbb4b27bcd14490a7a8d3a25fed674d5fd634668a46d557663f85"
    )


def test_the_default_has_the_measured_numbers(default: EmbeddedCatalog) -> None:
    assert len(default.packages) == 5400
    assert len(default.grids) == 440
    assert list(default.categories) == [1, 2, 3, 4, 7, 8]
    assert (max(default.packages), max(default.grids)) == (6010, 491)
    assert sum(len(row.grids) for row in default.packages.values()) == 6296


@pytest.mark.parametrize("size", [5, 6, 7, 30, 50, 300, 2600, 5401])
def test_any_size_has_the_seeds_and_exactly_so_many_consistent_packages(size: int) -> None:
    catalog = generated_catalog(size)
    assert len(catalog.packages) == size
    assert set(SEED_IDS) <= catalog.packages.keys()
    assert not members_disagreeing(catalog)
    assert len({row.slug for row in catalog.packages.values()}) == size
    assert len({row.slug for row in catalog.grids.values()}) == len(catalog.grids)


def test_fewer_packages_than_the_real_ones_are_refused() -> None:
    with pytest.raises(ValueError, match=r"packages must be at least 5, the real ones; it is 4\."):
        generated_catalog(4)


@pytest.mark.parametrize("size", [[5], []], ids=["smallest", "default"])
def test_the_real_packages_are_in_the_grids_that_they_name(size: list[int]) -> None:
    catalog = shared_rows(*size)
    for package_id in SEED_IDS:
        row, record = catalog.packages[package_id], seed_record(package_id)
        assert [str(grid) for grid in row.grids] == [link.split("/")[-2] for link in record["grids"]]
        assert all(package_id in catalog.grids[grid].packages for grid in row.grids)


def test_every_trap_of_the_contract_is_there(default: EmbeddedCatalog) -> None:
    packages, grids = default.packages, default.grids
    assert not {4, 404} & packages.keys()
    assert {packages[key].slug for key in (4567, 2500, 5301)} == {"1599", "404", "007"}
    assert default.id_of_slug("packages", "1234") not in (None, 1234)
    assert grids[108].slug == "12"
    assert 12 in grids
    assert list(packages[1234].grids) != sorted(packages[1234].grids)
    assert packages[224].created[:-6] == packages[225].created[:-6]
    assert packages[224].created != packages[225].created
    assert len(packages[146].participants) == 400
    assert "dependabot[bot]" in packages[146].participants
    assert [row.id for row in packages.values() if row.repo_url == ""] == [301]
    assert {None, ""} <= {row.pypi_version for row in packages.values()}
    assert {None, ""} <= {row.documentation_url for row in packages.values()}
    assert None in {row.last_updated for row in packages.values()}
    assert None in {row.last_fetched for row in packages.values()}
    assert () in {row.commits_over_52 for row in packages.values()}
    assert any("." not in row.created for row in packages.values())
    assert any(count > 1 for count in Counter(row.title for row in packages.values()).values())
    assert any("\u2028" in row.repo_description for row in packages.values())
    assert any(row.title != row.title.strip() for row in packages.values())
    assert any(row.slug.lower() != row.slug and "_" in row.slug for row in packages.values())
    assert any("\r\n" in row.description for row in grids.values())
    assert grids[20].packages == ()
    assert len(grids[110].packages) == 130
    assert (grids[15].title, grids[15].slug, len(grids[15].packages)) == ("Email", "email", 8)
    assert 1599 in grids[15].packages
    assert packages[6010].slug == "django-brand-new"


@pytest.mark.parametrize(
    "beginning", ["http://pypi.python.org/pypi/", "https://pypi.org/project/", "django-", ""]
)
def test_every_spelling_of_a_pypi_url_is_there(beginning: str, default: EmbeddedCatalog) -> None:
    urls = {row.pypi_url for row in default.packages.values()}
    assert any(url.startswith(beginning) for url in urls)
    if beginning.startswith("http"):
        assert {url.endswith("/") for url in urls if url.startswith(beginning)} == {True, False}


def test_members_are_in_order_of_title(default: EmbeddedCatalog) -> None:
    for grid in default.grids.values():
        titles = [default.packages[key].title for key in grid.packages]
        assert titles == sorted(titles)


def test_generated_records_can_be_told_from_real_ones(default: EmbeddedCatalog) -> None:
    for row in default.packages.values():
        is_generated = "generated" in f"{row.repo_url} {row.repo_description}".lower()
        assert is_generated == (row.id not in SEED_IDS)


@pytest.mark.parametrize(
    ("seconds", "microseconds", "text"),
    [
        (1_383_456_600, 0, "2013-11-03T01:30:00-04:00"),
        (1_383_460_200, 0, "2013-11-03T01:30:00-05:00"),
        (1_394_348_399, 5, "2014-03-09T01:59:59.000005-05:00"),
        (1_394_348_400, 0, "2014-03-09T03:00:00-04:00"),
        (1_767_225_600, 0, "2025-12-31T19:00:00-05:00"),
    ],
)
def test_datetimes_are_new_york_time(seconds: int, microseconds: int, text: str) -> None:
    assert eastern(seconds, microseconds) == text


def test_an_inserted_package_joins_its_grids_and_is_the_newest() -> None:
    catalog = generated_catalog(50)
    newest = max(catalog.packages)
    key = catalog.insert_package(title="A first title", grids=[15])
    assert key == newest + 1
    assert catalog.grids[15].packages[0] == key
    assert catalog.newest("packages", 0, 1)[0].id == key


def test_a_renamed_package_moves_in_its_grids() -> None:
    catalog = generated_catalog(50)
    others = [key for key in catalog.grids[15].packages if key != 1599]
    catalog.update_package(1599, title="~ last", slug="renamed")
    assert catalog.grids[15].packages == (*others, 1599)
    assert catalog.id_of_slug("packages", "renamed") == 1599
    assert catalog.id_of_slug("packages", "django-celery-email") is None


def test_a_removed_package_leaves_its_grids() -> None:
    catalog = generated_catalog(50)
    catalog.remove_package(1599)
    assert 1599 not in catalog.packages
    assert 1599 not in catalog.grids[15].packages
    assert not members_disagreeing(catalog)


def test_packages_follow_the_changes_of_a_grid() -> None:
    catalog = generated_catalog(50)
    key = catalog.insert_grid(title="New", packages=[1599, 683])
    assert list(catalog.packages[1599].grids) == [15, key]
    catalog.update_grid(key, packages=[683])
    assert list(catalog.packages[1599].grids) == [15]
    catalog.remove_grid(key)
    assert catalog.packages[683].grids == (84,)
    assert not members_disagreeing(catalog)


def test_categories_can_be_changed_and_removed_when_empty() -> None:
    catalog = generated_catalog(5)
    key = catalog.insert_category(title="New")
    catalog.update_category(key, title="Newer")
    assert catalog.categories[key].title == "Newer"
    catalog.remove_category(key)
    with pytest.raises(ValueError, match=r"Category 1 still has packages\."):
        catalog.remove_category(1)


def test_given_rows_are_completed_on_the_other_side() -> None:
    small = generated_catalog(5)
    grid = GridRow(
        id=15,
        title="Email",
        slug="email",
        description="",
        is_locked=False,
        packages=(683,),
        header=False,
        created="2011-01-22T13:45:27-05:00",
        modified="2011-01-22T13:45:27-05:00",
    )
    packages = [small.packages[683], small.packages[1599]]
    catalog = EmbeddedCatalog(packages, [grid], small.categories.values())
    assert catalog.grids[15].packages == (1599, 683)
    assert catalog.packages[683].grids == (84, 15)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": 1599}, "There is already a row with the id 1599 in packages."),
        ({"id": 0}, "An id is a positive whole number, not 0."),
        ({"slug": "django-cacheback"}, "The slug 'django-cacheback' is taken in packages."),
        ({"category": 5}, "There is no category with the id 5."),
        ({"grids": [999]}, "There is no grid with the id 999."),
        ({"title": 3}, "These are not the fields of a package: Expected `str`, got `int` - at `$.title`."),
        ({"stars": 3}, "These are not the fields of a package: Object contains unknown field `stars`."),
    ],
)
def test_an_impossible_package_is_refused_in_a_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is compared whole
        generated_catalog(5).insert_package(**change)
    assert str(refused.value) == sentence


def test_a_much_larger_catalog_can_be_made() -> None:
    assert len(EmbeddedUpstream(packages=20_000).catalog.packages) == 20_000
