"""Tests which catalogs the guard lets replace the known one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from catalog.indexed_catalog import Catalog
from catalog.sync.crawl_guard import CatalogRefused, Guard
from catalog.sync.crawl_report import CrawlReport
from catalog.sync.crawl_validators import GuardLimits
from tests.support.guarded_catalogs import NOTHING_WRONG, candidate_of, catalog_of, check, various
from tests.support.made_records import NOON, category, grid, package
from tests.support.settings_for_tests import GUARD_LIMITS

# What is gone


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
    told = check(guard, catalog_of(range(known)), catalog_of(range(gone, known)))
    assert told == ("" if passes else f"Upstream has lost {gone} of {known} packages since the last crawl.")
    assert (guard.refused is None) is passes


def test_packages_that_go_count_however_many_come(guard: Guard) -> None:
    assert check(guard, catalog_of(range(100)), catalog_of(range(50, 5000))) != ""


def test_any_number_of_packages_may_come(guard: Guard) -> None:
    assert check(guard, catalog_of(range(100)), catalog_of(range(5000))) == ""


@pytest.mark.parametrize(("members", "passes"), [(10, True), (11, False)])
def test_a_grid_that_goes_counts_with_the_packages_that_were_in_it(
    guard: Guard, members: int, passes: bool
) -> None:
    packages = [package(id) for id in range(100)]
    grids = [grid(id, packages=tuple(range(members))) for id in range(10)]
    before = Catalog.build(packages, grids, [category(1)])
    after = Catalog.build(packages, grids[2:], [category(1)])
    told = check(guard, before, after)
    assert told == ("" if passes else "Upstream has lost 2 of 10 grids since the last crawl.")


# What is empty


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (catalog_of(()), "Upstream says that it has no packages, but 3 were known."),
        (catalog_of((), categories=0), "Upstream says that it has no packages, but 3 were known."),
        (catalog_of(range(3), categories=0), "Upstream says that it has packages but no categories."),
    ],
)
def test_an_empty_catalog_does_not_pass_however_small_the_known_one_is(
    guard: Guard, after: Catalog, sentence: str
) -> None:
    assert check(guard, catalog_of(range(3)), after) == sentence


def test_a_first_catalog_passes_unless_it_is_empty(guard: Guard) -> None:
    assert check(guard, None, catalog_of((1,))) == ""
    assert check(guard, None, catalog_of(())) == "Upstream says that it has no packages."
    assert check(guard, None, catalog_of((1,), categories=0)) == (
        "Upstream says that it has packages but no categories."
    )


def test_a_first_catalog_with_fewer_packages_than_the_operator_knows_of_is_refused() -> None:
    guard = Guard(replace(GUARD_LIMITS, fewest_packages=5000))
    sentence = "Upstream has 4,999 packages, and 5,000 are the fewest allowed."
    assert check(guard, None, catalog_of(range(4999))) == sentence
    assert check(guard, None, catalog_of(range(5000))) == ""


# What is changed


def moment(id: int) -> datetime:
    return NOON + timedelta(hours=id)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("repo_watchers", various, lambda id: 0),
        ("repo_description", str, lambda id: ""),
        ("category", lambda id: id % 5, lambda id: 3),
        ("participants", lambda id: (str(id),), lambda id: ()),
        ("pypi_version", str, lambda id: None),
        ("created", moment, lambda id: moment(id + 1)),
        ("slug", str, lambda id: f"another-{id}"),
    ],
)
@pytest.mark.parametrize(("more_than_half", "passes"), [(0, True), (1, False)])
def test_more_than_half_of_the_packages_may_not_lose_the_value_of_one_field(
    guard: Guard,
    name: str,
    old: Callable[[int], object],
    new: Callable[[int], object],
    more_than_half: int,
    passes: bool,
) -> None:
    # Those that are in the category already cannot be moved into it.
    eligible = [id for id in range(600) if old(id) != new(id)]
    changed = {*eligible[::2], *eligible[1 : 2 * more_than_half : 2]}
    before = catalog_of(range(600), 5, **{name: old})
    after = catalog_of(range(600), 5, **{name: lambda id: new(id) if id in changed else old(id)})
    assert check(guard, before, after) == (
        ""
        if passes
        else f"{len(changed)} of {len(eligible)} packages have lost or changed their {name} at once."
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("repo_watchers", various, lambda id: id + 2),
        ("repo_watchers", lambda id: 0, various),
        ("repo_description", lambda id: "", str),
        ("documentation_url", lambda id: None, lambda id: ""),
        ("category", lambda id: 3, lambda id: id % 5),
        ("pypi_version", lambda id: f"1.{id}", lambda id: f"2.{id}"),
        ("title", str, lambda id: f"another {id}"),
        ("grids", lambda id: (1, 2, id), lambda id: (id, 2, 1)),
    ],
)
def test_a_field_of_all_packages_may_get_values_and_the_nightly_update_may_change_them(
    guard: Guard, name: str, old: Callable[[int], object], new: Callable[[int], object]
) -> None:
    before, after = catalog_of(range(600), 5, **{name: old}), catalog_of(range(600), 5, **{name: new})
    assert check(guard, before, after) == ""


def test_20_packages_may_lose_a_value_however_few_there_are(guard: Guard) -> None:
    before, after = catalog_of(range(20), repo_watchers=various), catalog_of(range(20))
    assert check(guard, before, after) == ""
    before, after = catalog_of(range(21), repo_watchers=various), catalog_of(range(21))
    assert check(guard, before, after) == (
        "21 of 21 packages have lost or changed their repo_watchers at once."
    )


def test_what_was_read_from_some_moment_on_is_judged_by_itself(guard: Guard) -> None:
    before = catalog_of(range(600), repo_watchers=various)
    oldest = catalog_of(range(600), repo_watchers=lambda id: 0 if id < 100 else id + 1)
    assert check(guard, before, oldest) == (
        "100 of 133 packages have lost or changed their repo_watchers at once."
    )
    newest = catalog_of(range(600), repo_watchers=lambda id: 0 if id >= 500 else id + 1)
    assert check(guard, before, newest) != ""


# What a crawl shows by itself


@pytest.mark.parametrize("known", [None, catalog_of(range(3))])
@pytest.mark.parametrize(
    ("slug", "report", "sentence"),
    [
        (lambda id: "" if id else "one", NOTHING_WRONG, "Upstream has records without a slug: 2."),
        (
            lambda id: f"{id // 2}",
            NOTHING_WRONG,
            "Upstream has packages or grids with the slug of another one: 1.",
        ),
        (str, CrawlReport(600, 0, 1, 0), "Upstream has records without a slug: 1."),
        (
            str,
            CrawlReport(600, 0, 0, 3),
            "Upstream's lists contradict one another: a record names another that does not exist, or that does "
            "not name it in return (3 times).",
        ),
    ],
)
def test_what_the_database_of_upstream_cannot_hold_is_refused_even_in_a_first_crawl(
    guard: Guard, known: Catalog | None, slug: Callable[[int], str], report: CrawlReport, sentence: str
) -> None:
    with pytest.raises(CatalogRefused) as refused:
        guard.check(candidate_of(known, catalog_of(range(3), slug=slug), report))
    assert sentence in refused.value.crawl.reason


@pytest.mark.parametrize(
    ("rows", "unreadable", "passes"),
    [(600, 12, True), (600, 13, False), (20, 5, True), (20, 6, False)],
)
def test_more_than_a_fiftieth_of_the_records_may_not_become_unreadable(
    guard: Guard, rows: int, unreadable: int, passes: bool
) -> None:
    known, report = catalog_of(range(20)), CrawlReport(rows, unreadable, 0, 0)
    guard.check(candidate_of(None, known, report))
    if passes:
        guard.check(candidate_of(known, known, report))
    else:
        with pytest.raises(CatalogRefused, match=f"^{unreadable} of {rows} records can no longer be read"):
            guard.check(candidate_of(known, known, report))


@pytest.mark.parametrize("limits", [replace(GUARD_LIMITS, removed_share=0.2, removed_packages=100)])
def test_the_settings_say_how_much_may_go(limits: GuardLimits) -> None:
    guard = Guard(limits)
    assert check(guard, catalog_of(range(600)), catalog_of(range(480))) == ""
    assert check(guard, catalog_of(range(600)), catalog_of(range(479))) != ""
