"""The guard: which catalogs may replace the one that is known, and when an implausible one is accepted."""

from __future__ import annotations

import pytest

from catalog.indexed_catalog import Catalog, compare
from catalog.sync.catalog_guard import CatalogRefused, Guard
from tests.support.batcher_with_held_answers import Clock
from tests.support.made_records import category, grid, package

DAY = 86400


def catalog_of(packages: range | list[int], categories: int = 1) -> Catalog:
    return Catalog.build(map(package, packages), [grid(1)], map(category, range(1, categories + 1)))


def check(guard: Guard, before: Catalog | None, after: Catalog, *, accept: bool = False) -> str:
    """Return what it says; nothing if it lets the catalog pass."""
    changes = None if before is None else compare(before, after)
    try:
        guard.check(before, after, changes, accept=accept)
    except CatalogRefused as refused:
        return str(refused)
    return ""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Guard:
    return Guard(DAY, clock)


@pytest.mark.parametrize(
    ("known", "gone", "passes"),
    [
        (100, 20, True),
        (100, 21, False),
        (400, 20, True),
        (400, 21, False),
        (600, 30, True),
        (600, 31, False),
        (10, 9, True),
    ],
)
def test_more_than_a_twentieth_and_more_than_20_packages_may_not_go_at_once(
    guard: Guard, known: int, gone: int, passes: bool
) -> None:
    before, after = catalog_of(range(known)), catalog_of(range(gone, known))
    told = check(guard, before, after)
    assert told == (
        ""
        if passes
        else f"Upstream has lost {gone} of {known} packages since the last crawl. The crawl is refused, and "
        "the previous catalog stays."
    )
    assert (guard.doubt is None) is passes


def test_packages_that_go_count_however_many_come(guard: Guard) -> None:
    assert check(guard, catalog_of(range(100)), catalog_of(range(50, 5000))) != ""


def test_any_number_of_packages_may_come(guard: Guard) -> None:
    assert check(guard, catalog_of(range(100)), catalog_of(range(5000))) == ""


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (catalog_of([]), "Upstream says that it has no packages, but 3 were known."),
        (catalog_of([], categories=0), "Upstream says that it has no packages, but 3 were known."),
        (catalog_of(range(3), categories=0), "Upstream says that it has packages but no categories."),
    ],
)
def test_an_empty_catalog_does_not_pass_however_small_the_known_one_is(
    guard: Guard, after: Catalog, sentence: str
) -> None:
    assert (
        check(guard, catalog_of(range(3)), after) == f"{sentence} The crawl is refused, and the previous "
        "catalog stays."
    )


def test_a_first_catalog_passes_unless_it_is_empty(guard: Guard) -> None:
    assert check(guard, None, catalog_of([1])) == ""
    assert check(guard, None, catalog_of([])).startswith("Upstream says that it has no packages.")
    assert check(guard, None, catalog_of([1], categories=0)).startswith(
        "Upstream says that it has packages but"
    )


@pytest.mark.parametrize("left", [1, 50, 500])
def test_what_crawls_agree_on_for_a_day_is_accepted(guard: Guard, clock: Clock, left: int) -> None:
    before, after = catalog_of(range(600)), catalog_of(range(left))
    for _ in range(24):
        assert check(guard, before, after) != ""
        clock.now += 3600
    assert guard.seconds == DAY
    assert check(guard, before, after) == ""
    assert guard.doubt is None


@pytest.mark.parametrize(
    "empty", [catalog_of([]), catalog_of(range(600), categories=0)], ids=["no packages", "no categories"]
)
def test_an_empty_catalog_is_accepted_by_an_operator_alone(
    guard: Guard, clock: Clock, empty: Catalog
) -> None:
    before = catalog_of(range(600))
    for _ in range(48):
        assert check(guard, before, empty) != ""
        clock.now += 3600
    assert check(guard, before, empty, accept=True) == ""


def test_a_plausible_catalog_in_between_begins_the_day_anew(guard: Guard, clock: Clock) -> None:
    before, after = catalog_of(range(600)), catalog_of(range(60))
    assert check(guard, before, after) != ""
    clock.now += DAY
    assert check(guard, before, catalog_of(range(599))) == ""
    assert check(guard, before, after) != ""
    clock.now += DAY - 1
    assert check(guard, before, after) != ""


def test_crawls_that_find_other_packages_gone_do_not_agree(guard: Guard, clock: Clock) -> None:
    before = catalog_of(range(600))
    for _ in range(5):
        assert check(guard, before, catalog_of(range(300))) != ""
        clock.now += DAY
        assert check(guard, before, catalog_of(range(300, 600))) != ""
        clock.now += DAY
        assert check(guard, before, catalog_of([])) != ""
        clock.now += DAY


def test_crawls_agree_even_if_a_few_packages_come_and_go_meanwhile(guard: Guard, clock: Clock) -> None:
    before = catalog_of(range(600))
    assert check(guard, before, catalog_of(range(300))) != ""
    clock.now += DAY
    assert check(guard, before, catalog_of([*range(5, 300), *range(1000, 1010)])) == ""


def test_what_an_operator_accepts_passes_at_once(guard: Guard) -> None:
    before = catalog_of(range(600))
    assert check(guard, before, catalog_of(range(60))) != ""
    assert check(guard, before, catalog_of(range(60)), accept=True) == ""
    assert guard.doubt is None
